package virtual

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// console passes on what the guest prints, keeps its end, and notices the kernel's
// last words.
type console struct {
	to io.Writer // nil: nowhere

	mu      sync.Mutex
	line    []byte
	last    []string
	trouble string
	heard   time.Time // when the guest last printed something, in real time
}

// An error quotes the last lines of the console, each cut off after so many bytes.
const (
	kept        = 20
	longestLine = 4096
)

// noMemory names make's variable and the command's flag.
const noMemory = "its memory is used up: give it more (make: MEMORY; halfopen: --memory)"

// lastWords are what a machine prints, quiet or not, and what they mean.
var lastWords = []struct{ words, meaning string }{
	{"Out of memory: Killed process", noMemory},
	{"System is deadlocked on memory", noMemory},
	{"Initramfs unpacking failed: write error", noMemory},
	{"without a system call: virtual time stands still", ""}, // the line says it all, with the program's name
	{"halfopen: the host refuses a seccomp filter", "this machine refuses a seccomp filter, without which the user-mode kernel cannot run programs: allow seccomp(2) here (a container: its seccomp profile), or use QEMU (make: MACHINE=qemu; halfopen: --machine qemu)"},
	{"halfopen: the host has no memory", "this machine has no memory left for it: free some, or give it less (make: MEMORY; halfopen: --memory)"},
	{"halfopen: the processor's state takes", "the user-mode kernel does not know this machine's processor: use QEMU (make: MACHINE=qemu; halfopen: --machine qemu)"},
	{"the host refuses another process", "this machine refuses it another process: raise the limit (ulimit -u, the pids of a container)"},
	{"Kernel panic - not syncing", "its kernel panicked"},
	{"BUG: ", "its kernel has a bug"},
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
	for part := range bytes.Lines(p) {
		if err := c.pass(part); err != nil {
			return 0, err
		}
		c.line = append(c.line, part...)
		c.line = c.line[:min(len(c.line), longestLine)]
		if !bytes.HasSuffix(part, []byte("\n")) {
			continue
		}
		c.take(strings.TrimRight(string(c.line), "\r\n"))
		c.line = c.line[:0]
	}
	return len(p), nil
}

// pass passes on a part of the line that has begun, unless the line is, or may yet become, noise.
func (c *console) pass(part []byte) error {
	if c.to == nil {
		return nil
	}
	before, line := string(c.line), string(c.line)+string(part)
	isNoise := func(line string) bool { return strings.HasPrefix(line, noise) || strings.HasPrefix(noise, line) }
	switch {
	case isNoise(line):
		return nil
	case isNoise(before): // it has turned out to be another line: what was held back comes too
		part = []byte(line)
	}
	_, err := c.to.Write(part)
	return err
}

// noise begins a line that the user-mode kernel prints because a guest may not open
// terminals (linux.ConfineThread). It needs none.
const noise = "check_one_sigio failed"

func (c *console) take(line string) {
	if strings.HasPrefix(line, noise) {
		return
	}
	if c.last = append(c.last, line); len(c.last) > kept {
		c.last = slices.Delete(c.last, 0, 1)
	}
	for _, sign := range lastWords {
		if c.trouble == "" && strings.Contains(line, sign.words) {
			c.trouble = cmp.Or(sign.meaning, strings.TrimPrefix(line, "halfopen: "))
		}
	}
}

// Trouble is what the kernel's last words mean; empty when it had none.
func (c *console) Trouble() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// Last are the last lines.
func (c *console) Last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(append(slices.Clone(c.last), string(c.line)), "\n")
}

// Quiet is how long the guest has printed nothing, in real time.
func (c *console) Quiet() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.heard)
}
