package packing

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
)

// binaries are where packages have their programs, in the order of a usual PATH.
var binaries = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}

// Program puts a program into the guest: from a package that was put there before, or
// from this machine, with its libraries and its interpreter. Arguments that are files of
// this machine come along, under the same names.
func (g *Guest) Program(command string) (*plan.Program, error) {
	p, err := parse(command)
	if err != nil {
		return nil, err
	}
	g.Files.Directory(p.Directory, 0o755)
	if err := g.find(p); err != nil {
		return nil, err
	}
	for _, word := range p.Command[1:] {
		if err := g.argument(word); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// parse makes a program of a command. Its file is still to be found.
func parse(command string) (*plan.Program, error) {
	words, err := plan.Words(command)
	if err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	return &plan.Program{Command: words, Text: command, Directory: here}, err
}

// Here is a program of this machine that stays where it is.
func Here(command string) (*plan.Program, error) {
	p, err := parse(command)
	if err != nil {
		return nil, err
	}
	p.Command[0], err = look(p.Command[0])
	return p, err
}

var errNotHere = errors.New("is not on this machine")

// look finds the file of a program of this machine.
func look(name string) (path string, err error) {
	path, err = exec.LookPath(name)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%s may not be executed (chmod +x)", name)
	}
	if err != nil {
		return "", fmt.Errorf("%s %w", name, errNotHere)
	}
	return filepath.Abs(path)
}

// find puts the file of the program there.
func (g *Guest) find(p *plan.Program) error {
	name := p.Command[0]
	for _, tree := range g.trees {
		for _, directory := range append(binaries, "") {
			path := filepath.Join(directory, name)
			if info, err := os.Stat(filepath.Join(tree, path)); err == nil && info.Mode().IsRegular() {
				p.Package = g.packages[filepath.Base(tree)]
				p.Command[0] = path
				return nil
			}
		}
	}
	path, err := look(name)
	if errors.Is(err, errNotHere) {
		return fmt.Errorf("%w, and in no package that was named: take one along with --package (no shell reads the command: sh -c '…' does)", err)
	}
	if err != nil {
		return err
	}
	p.Command[0] = path
	return g.executable(path)
}

// executable puts a program of this machine there: a binary, or a script with what
// interprets it.
func (g *Guest) executable(path string) error {
	if err := g.binary(path, path); err != nil {
		return err
	}
	interpreter, err := interpreterOf(path)
	if err != nil || interpreter == nil {
		return err
	}
	for i, name := range interpreter {
		if i > 0 && filepath.Base(interpreter[0]) != "env" {
			break // an argument
		}
		if g.has(name) {
			continue
		}
		found, err := exec.LookPath(name)
		if err != nil {
			return fmt.Errorf("%s is interpreted by %s, which is not on this machine, and in no package that was named: take it along with --package", path, name)
		}
		if err := g.binary(found, found); err != nil {
			return err
		}
	}
	return nil
}

// has says whether a package brings a program.
func (g *Guest) has(name string) bool {
	for _, tree := range g.trees {
		for _, directory := range append(binaries, "") {
			if _, err := os.Stat(filepath.Join(tree, directory, name)); err == nil {
				return true
			}
		}
	}
	return false
}

// interpreterOf are the words behind #! in a script; nil for a binary.
func interpreterOf(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	first, _ := bufio.NewReaderSize(file, 256).ReadSlice('\n')
	words, script := strings.CutPrefix(string(first), "#!")
	if !script {
		return nil, nil
	}
	return strings.Fields(words), nil
}

// itsOwn are directories whose files an argument may name without bringing them along:
// the kernel's, and what says that a program runs here.
var itsOwn = []string{"/dev", "/proc", "/sys", "/run", "/var/run"}

// argument takes a file of this machine along that an argument names, as in
// "server.py" or "--config=server.conf", unless a package or the user has put one there.
func (g *Guest) argument(word string) error {
	if _, value, ok := strings.Cut(word, "="); ok {
		word = value
	}
	absolute, err := filepath.Abs(word)
	if err != nil || word == "" {
		return nil
	}
	for _, directory := range itsOwn {
		if filepath.IsAbs(word) && strings.HasPrefix(absolute, directory+"/") {
			return nil
		}
	}
	info, err := os.Stat(absolute)
	if err != nil || !info.Mode().IsRegular() || g.Files.Has(inUsr(absolute)) {
		return nil // it names no file, or one that is there
	}
	return g.Take(absolute)
}
