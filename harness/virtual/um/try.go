package um

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// noGuest is the kernel's message when it has booted and finds no program to run. A kernel
// without a guest comes no further.
const noGuest = "No working init found"

// Try boots a user-mode kernel without a guest. The error says what this machine does not
// let it do.
func Try(ctx context.Context, file string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, "mem=64M", "con0=null,fd:1", "con=null", "ssl=null", "console=tty0", "quiet", "panic=-1", "time-travel=inf-cpu")
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	words := strings.TrimSpace(string(out))
	if strings.Contains(words, noGuest) {
		return nil
	}
	last := words[strings.LastIndexByte(words, '\n')+1:]
	return fmt.Errorf("starting the user-mode kernel %s: it ended before it had booted (%v): %s", file, err, strings.TrimPrefix(last, "halfopen: "))
}
