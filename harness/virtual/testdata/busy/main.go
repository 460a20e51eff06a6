// Command busy is process 1 of a guest, and the command that it runs: a program that
// starts itself again and again, so that a guest has processes in every state.
package main

import (
	"os"
	"os/exec"

	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

func main() {
	if os.Getpid() == 1 {
		guest.Main()
	}
	if len(os.Args) > 1 {
		return
	}
	for {
		_ = exec.Command("/busy", "once").Run()
	}
}
