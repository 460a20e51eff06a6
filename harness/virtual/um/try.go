package um

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// noGuest are the kernel's words when it has booted and found nothing to run, which is as
// far as a kernel without a guest comes.
const noGuest = "No working init found"

// Try starts a user-mode kernel without a guest. The error says what this machine refuses
// it.
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
