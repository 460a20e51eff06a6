package answer

import (
	"strings"
	"testing"
	"time"
)

func TestTheWorstRowsComeFirst(t *testing.T) {
	closed := Fault{Verdict: Unmeasured, Trouble: "the program closed before the fault"}
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
    the program closed before the fault
`
	if got := a.table(); got != want {
		t.Errorf("the table is\n%s\nexpected\n%s", got, want)
	}
	if a.Faults[0].Name != "one" || strings.Contains(a.Faults[4].Load, "own") {
		t.Error("the answer itself was changed")
	}
}
