package answer

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestTheWorstRowsComeFirst(t *testing.T) {
	closed := Fault{Verdict: Unmeasured, Trouble: "the program closed before the fault", LastWords: `the last that it sent: "bye"`}
	named := func(f Fault, name, load string) Fault { f.Name, f.Load = name, load; return f }
	a := &Answer{Faults: []Fault{
		named(closed, "one", Idle),
		named(Fault{Verdict: Alive}, "alive", Idle),
		named(Fault{Verdict: Noticing, Kernel: after("FIN", 0), Noticed: after("closes", 0)}, "at once", Idle),
		named(Fault{Verdict: KernelOnly, Kernel: after("FIN", 0)}, "kernel", Idle),
		named(Fault{Verdict: Noticing, Kernel: after("ETIMEDOUT", time.Hour), Noticed: after("ETIMEDOUT", time.Hour), UnderWay: []Data{{ByProgram, Of(10 * time.Second)}}}, "late", Idle),
		named(closed, "two", Busy),
		named(Fault{Verdict: Never, UnderWay: []Data{{ByPeer, 0}}, Peer: &PeerEnd{Kernel: after("RST", time.Minute)}}, "never", Idle),
	}}
	want := `  never    idle      never; the peer's data was sent after 0 s; the peer: its kernel: RST after 60 s
  kernel   idle      its kernel: FIN after 0 s; the program: nothing
  late     own data  ETIMEDOUT after 1 h; its data was sent after 10 s
  at once  idle      FIN; closes after 0 s
  alive    idle      alive
  own data: the program sent it after the fault, and nobody acknowledged it: keepalive is silent meanwhile
  not measured: one; two, busy
    the program closed before the fault; the last that it sent: "bye"
`
	if got := a.table(inFull); got != want {
		t.Errorf("the table is\n%s\nexpected\n%s", got, want)
	}
	if a.Faults[0].Name != "one" || strings.Contains(a.Faults[4].Load, "own") {
		t.Error("the answer itself was changed")
	}
}

func TestThePageHasSixtyLinesAtMost(t *testing.T) {
	a := &Answer{Program: Program{Side: "server", Command: "x", Peer: "y", Port: 80}, Advice: &Advice{Why: "because", BySysctl: true}, Ghosts: &Ghosts{}}
	for i := range 40 {
		p := Preset{Name: fmt.Sprintf("a-middlebox-with-a-long-name-%d", i), Outcome: []string{Survives, Dies, EndsFirst, Undecided}[i%4], Alone: Dies}
		a.Presets = append(a.Presets, p)
	}
	for rows := range 120 {
		a.Faults = append(a.Faults, Fault{Name: fmt.Sprintf("fault %d", rows), Load: Idle, Verdict: Alive})
		if rows == 60 {
			a.Faults = append(a.Faults, Fault{Name: "the worst of all", Load: Idle, Verdict: Never})
		}
		text := a.Text()
		if n := strings.Count(text, "\n"); n > 60 {
			t.Fatalf("%d rows: the page has %d lines:\n%s", rows, n, text)
		}
		if rows >= 60 && !strings.Contains(text, "the worst of all") {
			t.Fatalf("%d rows: the worst is not on the page:\n%s", rows, text)
		}
		if rows == 10 && !strings.Contains(text, "a-middlebox-with-a-long-name-39") {
			t.Errorf("a page of the usual length names no middleboxes:\n%s", text)
		}
	}
	for range 70 {
		a.Unknown = append(a.Unknown, "something")
	}
	if n := strings.Count(a.Text(), "\n"); n != 60 {
		t.Errorf("with much that is unknown the page has %d lines", n)
	}
}

func TestALongLineIsFolded(t *testing.T) {
	text := folded("  a row  ", "it wrote: "+strings.Repeat("word ", 40)+strings.Repeat("x", 200)+"; the end")
	for line := range strings.Lines(text) {
		if len(line) > columns+1 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if strings.Count(text, "word") != 40 || strings.Count(text, "x") != 200 || !strings.HasSuffix(text, "the end\n") {
		t.Errorf("something is missing:\n%s", text)
	}
}
