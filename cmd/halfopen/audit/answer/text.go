package answer

import (
	"fmt"
	"strings"
)

// Text is the answer as a page for a terminal.
func (a *Answer) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", a.Program.Side, a.Program.Command)
	for _, f := range a.Faults {
		fmt.Fprintf(&b, "%s, %s: %s %v %v %v %s\n", f.Name, f.Load, f.Verdict, f.Kernel, f.Noticed, f.Exit, f.Trouble)
	}
	return b.String()
}
