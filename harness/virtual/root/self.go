package root

import (
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// AddSelf puts the running binary into a guest under a name, with the shared libraries that
// it needs, and makes it process 1. Its main function must call reexec.Main.
func AddSelf(files *virtual.Files, name string) error {
	own, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for the file of the running program: %w", err)
	}
	if err := AddProgram(files, name, own); err != nil {
		return err
	}
	// The kernel starts it without a variable of ours.
	script := fmt.Sprintf("#!/usr/bin/sh\n%s=%s exec %s\n", reexec.Variable, guest.Program, name)
	files.Write(virtual.InitFile, []byte(script), 0o755)
	return nil
}
