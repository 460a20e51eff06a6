package virtual

import (
	"bytes"
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

// kept is how many lines of the console an error quotes.
const kept = 20

// noMemory names make's variable and the command's flag.
const noMemory = "its memory is used up: give it more (make: MEMORY; halfopen: --memory)"

// lastWords are what a kernel prints, quiet or not, and what they mean.
var lastWords = []struct{ words, meaning string }{
	{"Out of memory: Killed process", noMemory},
	{"System is deadlocked on memory", noMemory},
	{"Initramfs unpacking failed: write error", noMemory},
	{"Kernel panic - not syncing", "its kernel panicked"},
	{"BUG: ", "its kernel has a bug"},
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = time.Now()
	for part := range bytes.Lines(p) {
		c.line = append(c.line, part...)
		if !bytes.HasSuffix(part, []byte("\n")) {
			continue
		}
		c.take(strings.TrimRight(string(c.line), "\r\n"))
		c.line = c.line[:0]
	}
	if c.to == nil {
		return len(p), nil
	}
	return c.to.Write(p)
}

func (c *console) take(line string) {
	if c.last = append(c.last, line); len(c.last) > kept {
		c.last = slices.Delete(c.last, 0, 1)
	}
	for _, sign := range lastWords {
		if c.trouble == "" && strings.Contains(line, sign.words) {
			c.trouble = sign.meaning
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
