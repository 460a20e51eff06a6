package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// identity returns what identifies the subject, in one line: its commands, the guest's kernel, and
// a digest of all else that decides its outcomes, as far as it can be known from outside: of the
// programs of this machine the files, but not their libraries.
func (e *Explored) identity() (string, error) {
	p := e.plan
	p.Report, p.Seed, p.Memory = "", 0, 0
	content, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, _ = sum.Write(content) // never fails
	var commands []string
	for _, side := range []answer.Side{answer.Server, answer.Client} {
		program, ok := p.Programs[side]
		if !ok {
			continue
		}
		commands = append(commands, fmt.Sprintf("%s: %s", side, program.Text))
		setup := e.request.setup(side)
		if setup.Image != "" || len(setup.Packages) > 0 {
			continue
		}
		if err := addFile(sum, program.Arguments[0]); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s; port %d; %s; %s", strings.Join(commands, "; "), p.Port, e.machine.Kernel(), hex.EncodeToString(sum.Sum(nil))[:16]), nil
}

// addFile adds the content of a program's file to a digest; a name that is looked for in PATH in
// the guest is none.
func addFile(to io.Writer, name string) error {
	if !strings.Contains(name, "/") {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading the program that is explored: %w", err)
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(to, f)
	return err
}
