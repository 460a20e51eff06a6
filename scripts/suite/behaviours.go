package suite

import (
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/catalogue"
)

// shown sorts the rows of the catalogue by what the specs say of them: a row has
// failed when one of its specs has, and is skipped when all of them are.
func (o *outcome) shown() (passed, failed, absent, missing []string) {
	outcomes := map[string]map[string]bool{}
	for _, spec := range o.specs {
		for _, label := range spec.Labels() {
			if outcomes[label] == nil {
				outcomes[label] = map[string]bool{}
			}
			switch {
			case skipped(spec):
				outcomes[label]["skipped"] = true
			case spec.State.Is(types.SpecStatePassed):
				outcomes[label]["passed"] = true
			default:
				outcomes[label]["failed"] = true
			}
		}
	}
	for _, row := range catalogue.Rows {
		switch of := outcomes[row.ID]; {
		case of["failed"]:
			failed = append(failed, row.ID)
		case of["passed"]:
			passed = append(passed, row.ID)
		case of["skipped"]:
			absent = append(absent, row.ID)
		default:
			missing = append(missing, row.ID)
		}
	}
	return passed, failed, absent, missing
}

// complete says that no row of the catalogue is without a spec.
func (o *outcome) complete() bool {
	_, _, _, missing := o.shown()
	return len(missing) == 0
}

// behaviours says in a line how many rows of the catalogue were shown, and which
// were not; of a part of the suites it says only what that part has shown.
func (o *outcome) behaviours(part bool) string {
	passed, failed, absent, missing := o.shown()
	line := fmt.Sprintf("%d of the %d behaviours in docs/catalogue.md were shown.", len(passed), len(catalogue.Rows))
	for _, rest := range []struct {
		what string
		ids  []string
	}{{"Failed", failed}, {"Skipped", absent}, {"Not run", missing}} {
		if len(rest.ids) > 0 && !(part && rest.what == "Not run") {
			line += fmt.Sprintf(" %s: %s.", rest.what, strings.Join(rest.ids, " "))
		}
	}
	return line
}
