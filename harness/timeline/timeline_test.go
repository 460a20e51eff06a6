package timeline_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/timeline"
)

func TestEventsPrintInTheOrderInWhichTheyHappened(t *testing.T) {
	tl := timeline.New()
	start := tl.Start()
	// As the kernel stamps a packet: no monotonic reading. The others have one.
	stamped := func(d time.Duration) time.Time { return time.Unix(0, start.Add(d).UnixNano()) }
	tl.Add(timeline.Event{At: start.Add(3 * time.Second), Who: "client", Kind: timeline.Step, What: "third"})
	tl.Add(timeline.Event{At: stamped(2 * time.Second), Who: "client", Kind: timeline.Packet, What: "second"})
	tl.Add(timeline.Event{At: start.Add(time.Second), Who: "server", Kind: timeline.Peer, What: "first"})
	tl.Add(timeline.Event{At: stamped(4 * time.Second), Who: "server", Kind: timeline.State, What: "fourth"})

	var got []string
	for _, e := range tl.Events() {
		got = append(got, e.What)
	}
	if want := "first second third fourth"; strings.Join(got, " ") != want {
		t.Errorf("Events are %q, expected %q", got, want)
	}
	want := "    1.000000 s  server    peer      first\n" +
		"    2.000000 s  client    packet    second\n" +
		"    3.000000 s  client    step      third\n" +
		"    4.000000 s  server    state     fourth\n"
	if got := tl.String(); got != want {
		t.Errorf("it prints\n%s\nexpected\n%s", got, want)
	}
}

func TestALineIsSecondsWhoKindWhat(t *testing.T) {
	for _, c := range []struct {
		after     time.Duration
		who, what string
		kind      timeline.Kind
		want      string
	}{
		{0, "c", "at the start", timeline.Step, "    0.000000 s  c         step      at the start\n"},
		{1234567 * time.Microsecond, "router", "NEW tcp", timeline.Conntrack, "    1.234567 s  router    conntrack NEW tcp\n"},
		{time.Hour, "a-long-name", "x", timeline.Peer, " 3600.000000 s  a-long-name peer      x\n"},
		// A packet that was sent just before the timeline began.
		{-time.Millisecond, "client", "SYN", timeline.Packet, "   -0.001000 s  client    packet    SYN\n"},
	} {
		one := timeline.New()
		one.Add(timeline.Event{At: one.Start().Add(c.after), Who: c.who, Kind: c.kind, What: c.what})
		if got := one.String(); got != c.want {
			t.Errorf("an event %v after the start prints %q, expected %q", c.after, got, c.want)
		}
	}
	if got := timeline.New().String(); got != "" {
		t.Errorf("a timeline without events prints %q, expected nothing", got)
	}
}

func TestAnEventWithoutATimeHappensNow(t *testing.T) {
	tl := timeline.New()
	before := time.Now()
	tl.Addf("client", timeline.Step, "writes %d bytes: %s", 5, "done")
	tl.Add(timeline.Event{Who: "server", Kind: timeline.State, What: "CLOSE_WAIT"})
	after := time.Now()
	events := tl.Events()
	if len(events) != 2 || events[0].What != "writes 5 bytes: done" || events[0].Who != "client" || events[0].Kind != timeline.Step {
		t.Fatalf("after Addf and Add the events are %+v", events)
	}
	for _, e := range events {
		if e.At.Before(before) || e.At.After(after) {
			t.Errorf("%q is at %v, expected between %v and %v", e.What, e.At, before, after)
		}
	}
	if line := regexp.MustCompile(`^ +0\.\d{6} s  client    step      writes 5 bytes: done\n`); !line.MatchString(tl.String()) {
		t.Errorf("it prints\n%s\nexpected a first line like %v", tl, line)
	}
}

func TestTheTextOfAnEventIsReplacedInItsPlace(t *testing.T) {
	tl := timeline.New()
	amend := tl.Begin("spec", timeline.Step, "the power fails")
	tl.Addf("client", timeline.Step, "writes")
	amend("FAILED: the power fails")
	var got []string
	for _, e := range tl.Events() {
		got = append(got, e.What)
	}
	if want := "FAILED: the power fails, writes"; strings.Join(got, ", ") != want {
		t.Errorf("the events are %q, expected %q", got, want)
	}
}

func TestLastIsTheLatestEventsOldestFirst(t *testing.T) {
	tl := timeline.New()
	for _, n := range []int{2, 3, 1} {
		tl.Add(timeline.Event{At: tl.Start().Add(time.Duration(n) * time.Second), Who: "client", Kind: timeline.Step, What: fmt.Sprint(n)})
	}
	line := func(n int) string { return fmt.Sprintf("    %d.000000 s  client    step      %d\n", n, n) }
	for n, want := range map[int]string{
		0: "", 1: line(3), 2: line(2) + line(3), 3: line(1) + line(2) + line(3), 100: line(1) + line(2) + line(3),
	} {
		if got := tl.Last(n); got != want {
			t.Errorf("Last(%d) is\n%s\nexpected\n%s", n, got, want)
		}
	}
}

func TestWhatEventsReturnsIsACopy(t *testing.T) {
	tl := timeline.New()
	tl.Addf("client", timeline.Step, "closes")
	tl.Events()[0].What = "changed"
	if got := tl.Events()[0].What; got != "closes" {
		t.Errorf("after a change to the returned events the timeline has %q, expected %q", got, "closes")
	}
}

func TestManyAddAtOnceAndNothingIsLost(t *testing.T) {
	const writers, each = 8, 500
	tl := timeline.New()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				tl.Addf(fmt.Sprint(w), timeline.Step, "%d", i)
				if i%100 == 0 {
					_ = tl.Last(10) // reads while others write
				}
			}
		})
	}
	wg.Wait()
	next := map[string]int{}
	for _, e := range tl.Events() {
		if e.What != fmt.Sprint(next[e.Who]) {
			t.Fatalf("writer %s: event %s, expected %d", e.Who, e.What, next[e.Who])
		}
		next[e.Who]++
	}
	for w := range writers {
		if got := next[fmt.Sprint(w)]; got != each {
			t.Errorf("writer %d: %d events, expected %d", w, got, each)
		}
	}
}

func TestEventsOfOneInstantStayInTheOrderInWhichTheyCame(t *testing.T) {
	tl := timeline.New()
	for i := range 100 {
		at := tl.Start().Add(time.Duration(i%2) * time.Second)
		tl.Add(timeline.Event{At: at, Who: "client", Kind: timeline.Packet, What: fmt.Sprint(i)})
	}
	for i, e := range tl.Events() {
		want := 2 * i // the even ones are a second earlier
		if i >= 50 {
			want = 2*(i-50) + 1
		}
		if e.What != fmt.Sprint(want) {
			t.Fatalf("event %d is %q, expected %d", i, e.What, want)
		}
	}
}

func TestEventsOfOneInstantStandByTheirOrder(t *testing.T) {
	tl := timeline.New()
	for _, e := range []struct {
		what  string
		order int
	}{{"a", 0}, {"b", -127}, {"c", 0}, {"d", -128}, {"e", -127}} {
		tl.Add(timeline.Event{At: tl.Start().Add(time.Second), Who: "client", Kind: timeline.Packet, What: e.what, Order: e.order})
	}
	tl.Add(timeline.Event{At: tl.Start(), Who: "client", Kind: timeline.Step, What: "first"})
	var got []string
	for _, e := range tl.Events() {
		got = append(got, e.What)
	}
	if want := "first d b e a c"; strings.Join(got, " ") != want {
		t.Errorf("the events are %q, expected %q", got, want)
	}
}
