package audit_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// An audit of a server, with one promise.
func Example() {
	reexec.Main() // first thing in main: this program starts itself again in the guest

	r := audit.Default()
	r.Server.Command, r.Port, r.Report = "./myserver {port}", 5000, "halfopen-report"
	r.Expect = answer.Promises{Notices: map[string]time.Duration{"host powered off": 5 * time.Minute}}
	r.Progress = func(p audit.Progress) { fmt.Fprintln(os.Stderr, p.Stage, p.Trial) }
	found, err := audit.Run(context.Background(), r)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(found.Text())
	for _, result := range r.Expect.Check(found) {
		if result.Broken != "" {
			fmt.Println(result.Broken)
		}
	}
}
