package audit

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/quantity"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

const faultsHeading = `# Faults

What a program can meet, and how to write it: for ` + "`halfopen run`" + `, for ` + "`halfopen audit`" + ` (` + "`--fault`" + `,
` + "`faults:`" + ` in a file) and for promises (` + "`notices:`" + `). The name of a fault is the title of its row.

` + "```sh" + `
halfopen run "outage of 45 s, busy" "the peer resets after 120 s" --server ./myserver --port 5000 --send hello
halfopen run azure-lb=1800 --client "./myclient {server}:{port}" --port 5000
halfopen audit --fault "idle timeout of 30 min, silent" --fault "loss of 10 %" --server ./myserver --port 5000
` + "```" + `

- TIME is written as people write it (45 s, 30 min, 2 h, 1 d) or as Go does (1h30m), and PERCENT as 10 %. Rows
  have seconds: "idle timeout of 30 min, silent" becomes "idle timeout of 1800 s, silent".
- ` + "`, busy`" + ` after a fault means that data of the program is under way when it happens, where the
  table says that there is such a row. A fixture asks for it (` + "`--send`, `--conversation`" + `); two programs do so
  by themselves. Such data is lost on its way, and sent again; on a worse path and on a narrow one the request is
  sent after the fault.
- A [middlebox](presets.md) is named by its preset, and with ` + "`=TIME`" + ` it has another idle timeout
  (` + "`azure-lb=1800`" + `: a number without a unit is seconds). A timeout that its sources call fixed, or that is not in
  the range which they state, is refused: an idle timeout has any.
- Times count from when the peer was last heard; from the fault where the peer's kernel tells it (process killed, FIN,
  the peer resets); and from the first SYN where the client cannot connect.
- A fault whose row needs longer than two and a half hours, such as an idle timeout of 2 h, is watched for as long as it
  needs. A ` + "`--watch`" + ` that is too short to show it is refused.

| fault | value | what happens | busy | |
|---|---|---|---|---|
`

const faultsEnd = `
- *default*: what an audit measures when nothing else is said; of those with a value, a host that is off for 60 s and
  firewalls with 350 s.
- *client*: it meets a client under test, which connects; the row is about its first attempt.
- *SCTP*: it is measured over SCTP (` + "`--protocol sctp`" + `), or *too*.
- NAT rebinding is measured with a NAT between the two, one of two paths with a firewall on each, everything else with one
  firewall, which lets all pass until the fault says otherwise.
- Over SCTP, *busy* is measured where a path or a host goes away for good or for a time, and on a worse path.

## Faults without a row

A spec can apply them ([writing a spec](writing-a-spec.md)), and an audit refuses them with the reason:

`

const faultsPrinted = `
` + "`halfopen run`" + ` without a fault prints this list. It is printed from ` + "`scenarios/catalogue.go`" + ` by ` + "`make faults`" + `.
`

// faultsPage returns docs/faults.md.
func faultsPage(t *testing.T) string {
	var b strings.Builder
	b.WriteString(faultsHeading)
	for _, k := range scenarios.Kinds() {
		named, _, err := answer.ParseTitle(k.Example())
		if err != nil {
			t.Fatal(err)
		}
		value, busy, note := "", "", ""
		_, sctp := strikesAssociation(named)
		if k.Values != (quantity.Range{}) {
			value = k.Values.String()
		}
		if carriesData(named) {
			busy = "yes"
		}
		switch {
		case slices.Contains(titles(Request{}.byDefault()), k.Example()):
			note = "default"
		case strikes(named).hinder != nil:
			note = "client"
		case named == scenarios.HeartbeatsDropped{}, named == scenarios.OneOfTwoPaths{}:
			note = "SCTP"
		}
		if sctp && note != "SCTP" {
			note = strings.TrimPrefix(note+", SCTP too", ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.Form(), value, k.What, busy, note)
	}
	b.WriteString(faultsEnd)
	for _, u := range scenarios.AllUnnamed() {
		fmt.Fprintf(&b, "- *%s*: %s.\n", u.What, u.Why)
	}
	return b.String() + faultsPrinted
}

var update = flag.Bool("update", false, "rewrite docs/faults.md")

func TestTheFaultsPageIsWhatTheCodeSays(t *testing.T) {
	const file = "../../docs/faults.md"
	want := faultsPage(t)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != want {
		t.Error("docs/faults.md differs from the code: run 'make faults'")
	}
}
