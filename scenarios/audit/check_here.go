package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

// checkHere reports what the request names and this machine does not have. It looks at files
// alone, so that nothing slow has begun.
func (r Request) checkHere() error {
	for _, p := range r.programs() {
		if err := p.checkHere(); err != nil {
			return err
		}
	}
	return nil
}

// maxLaid is how many bytes a file may have that is laid over another: it is in the plan.
const maxLaid = 16 << 20

func (p Program) checkHere() error {
	for _, what := range p.Take {
		if err := root.CheckTake(what); err != nil {
			return fmt.Errorf("%w (--take)", err)
		}
	}
	for _, name := range p.Hide {
		if _, err := os.Lstat(name); err != nil {
			return fmt.Errorf("hiding %s: %w (--hide)", name, reason(err))
		}
		if at, err := filepath.Abs(name); err != nil || at == "/" {
			return errors.New("hiding /: nothing would be left (--hide)")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		from := p.Files[name].File
		if from == "" {
			continue
		}
		if info, err := os.Stat(from); err != nil {
			return fmt.Errorf("the file to lay over %s: %s: %w", name, from, reason(err))
		} else if !info.Mode().IsRegular() {
			return fmt.Errorf("the file to lay over %s: %s is not a regular file", name, from)
		} else if info.Size() > maxLaid {
			return fmt.Errorf("the file to lay over %s: %s has more than %d MiB: take it along (take)", name, from, maxLaid>>20)
		}
	}
	if p.Image != "" || len(p.Packages) > 0 {
		return nil // they may have the program and the user
	}
	if p.Command != "" {
		if err := root.CheckCommand(p.Command); err != nil {
			return err
		}
	}
	if p.User != "" && len(p.Prepare) == 0 && len(p.Files) == 0 { // which may make the user
		return box.CheckUser(p.User)
	}
	return nil
}

// reason returns what is wrong with a file, without its name.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
