package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/report"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/page"
)

// tab is a page in a browser of its own.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string // addresses that the page has asked for
	problems []string // what the console shows
}

// stepTimeout bounds what a browser does within a second on a quiet machine.
const stepTimeout = time.Minute

// open opens a file in a browser with a viewport of a width.
func open(t *testing.T, file, fragment string, width int64) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.UserDataDir(t.TempDir()))
	if os.Getuid() == 0 { // Chromium's sandbox needs an ordinary user
		options = append(options, chromedp.NoSandbox)
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &tab{T: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("starting the browser: %v: Debian's is in the package chromium", err)
	}
	address := (&url.URL{Scheme: "file", Path: file, Fragment: fragment}).String()
	b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(address))
	b.until("the page's script has ended", `document.documentElement.dataset.ready === "yes"`)
	t.Cleanup(b.expectQuiet)
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			b.requests = append(b.requests, e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, string(e.Type))
	case *log.EventEntryAdded:
		b.problems = append(b.problems, e.Entry.Text)
	}
}

// expectQuiet asserts that the page has asked for itself only, and that the console is empty.
func (b *tab) expectQuiet() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) != 1 || !strings.HasPrefix(b.requests[0], "file://") {
		b.Errorf("the page asked for %q, expected for itself only", b.requests)
	}
	if len(b.problems) > 0 {
		b.Errorf("the console shows %q", b.problems)
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// value returns the value of an expression in the page.
func value[T any](b *tab, expression string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits until an expression in the page is true.
func (b *tab) until(what, expression string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepTimeout)
	defer cancel()
	if ok, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil || !ok {
		b.Fatalf("%s: not within %v: %v", what, stepTimeout, err)
	}
}

// press presses keys, one after the other.
func (b *tab) press(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// audited writes the page of an audit with one fault, whose ladder has rungs, and returns its file.
func audited(t *testing.T, rungs []ladder.Rung) string {
	t.Helper()
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "captures"), 0o755); err != nil {
		t.Fatal(err)
	}
	drawn, err := (&ladder.Ladder{
		Hosts: []ladder.Host{{Name: "client"}, {Name: "firewall"}, {Name: "server"}}, Rungs: rungs, Ended: 1100 * time.Second,
	}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "captures", "01.json"), drawn, 0o644); err != nil {
		t.Fatal(err)
	}
	s := func(n float64) answer.Seconds { return answer.Seconds(n * float64(time.Second)) }
	err = page.WriteAudit(directory, &answer.Answer{
		Program: answer.Program{Side: answer.Client, Command: "./client-with-a-rather-long-name --of=many-options {server}:{port}", Peer: "a fixture", Port: 5000},
		Kernel:  "Linux 6.12", Watched: s(9000), Settings: &answer.Settings{Keepalive: true, Idle: s(60), Interval: s(10), Count: 3},
		Wire: answer.Wire{Silence: answer.Silence{Lasted: s(60)}},
		Faults: []answer.Fault{
			{Name: "host powered off", Load: answer.Idle, Verdict: answer.Noticing, Noticed: &answer.Event{What: "ETIMEDOUT", After: s(90)}, Capture: "captures/01.pcapng"},
			{Name: "idle timeout of 350 s, RST to the sender", Load: answer.Busy, Verdict: answer.Never},
		},
		Presets: []answer.Preset{{Name: "aws-sg-conntrack-nitro-v6", Timeout: s(350), Outcome: answer.Survives, How: answer.Derived, Why: "never more than 60 s without a packet"}},
		Advice:  &answer.Advice{Idle: s(30), Interval: s(10), Count: 3, UserTimeout: s(60), Why: "it takes too long"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(directory, page.File)
}

// story is a short story: a connection, the keepalive probes of which are answered, and a reset.
func story() []ladder.Rung {
	at := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	packet := func(s float64, from, to int, brief string, frames ...int) ladder.Rung {
		return ladder.Rung{At: at(s), Kind: "packet", Host: from, Text: "192.0.2.10:40000 > 198.51.100.20:5000 " + brief,
			Arrow: &ladder.Arrow{Brief: brief, To: to, Arrived: at(s), Frames: frames}}
	}
	rungs := []ladder.Rung{
		{Kind: "step", Host: ladder.Everyone, Text: "the firewall forgets flows idle for 350 s, then RST to the next sender"},
		packet(1, 0, 2, "SYN", 1, 2, 3, 4),
		{At: at(1), Kind: "state", Host: 0, Text: "client is ESTABLISHED", Subject: "client", State: "ESTABLISHED"},
		{At: at(1), Kind: "peer", Host: 2, Text: "halfopen-echo: accepted 192.0.2.10:40000, which says something that is longer than a phone is wide"},
	}
	for i := range 5 {
		rungs = append(rungs, packet(float64(61+60*i), 0, 2, "keepalive probe"))
	}
	died := packet(700, 0, 1, "PSH,ACK 4 bytes")
	died.End = ladder.Dropped
	forged := packet(700.1, 1, 0, "RST")
	forged.Forged = true
	return append(rungs, died, forged)
}

// rows is an expression: the events of the ladder that are shown.
const rows = `[...document.querySelectorAll("#ladder-0 .step")].filter(e => !e.hidden)`

func TestALadderOpensByItsLinkAndUnfolds(t *testing.T) {
	t.Parallel()
	b := open(t, audited(t, story()), "", 1000)
	if n := value[int](b, rows+`.length`); n != 0 {
		t.Errorf("a closed ladder has %d events", n)
	}
	b.do(chromedp.Click(`a[href="#ladder-0"]`))
	b.until("the ladder opens", rows+`.length === 7`)
	b.do(chromedp.Click(`#ladder-0 .unfold`))
	b.until("the repeated probes show", rows+`.length === 11`)
	for i, want := range []string{"SYN", "keepalive probe", "PSH,ACK 4 bytes, dropped at firewall", "forged RST"} {
		if text := value[string](b, rows+`.map(e => e.textContent).join("\n")`); !strings.Contains(text, want) {
			t.Errorf("%d: the ladder has no %q:\n%s", i, want, text)
		}
	}
}

func TestALinkLeadsToAnEvent(t *testing.T) {
	t.Parallel()
	for fragment, want := range map[string]string{
		"ladder-0-1": "SYN",
		"ladder-0-6": "keepalive probe", // a folded one
	} {
		b := open(t, audited(t, story()), fragment, 1000)
		b.until("the event has the focus", `document.activeElement.id === "`+fragment+`"`)
		if text := value[string](b, `document.activeElement.textContent`); !strings.Contains(text, want) {
			t.Errorf("%s is %q, expected %q", fragment, text, want)
		}
		if top := value[float64](b, `document.activeElement.getBoundingClientRect().top`); top < -1 || top > 900 {
			t.Errorf("%s is at %.0f px, out of sight", fragment, top)
		}
	}
}

func TestTheKeyboardAloneReachesEverything(t *testing.T) {
	t.Parallel()
	b := open(t, audited(t, story()), "", 1000)
	var stops []string
	for range 60 { // more stops than the page has
		b.press(kb.Tab)
		stop := value[string](b, `document.activeElement === document.body ? "" : (document.activeElement.matches("summary") && !document.activeElement.parentElement.open ? "closed " : "") + document.activeElement.tagName + " " + document.activeElement.textContent.slice(0, 30)`)
		if stop == "" {
			break
		}
		stops = append(stops, stop)
		if strings.HasPrefix(stop, "closed ") { // go in
			b.press(kb.Enter)
			b.until("Enter opens it", `document.activeElement.parentElement.open && document.activeElement.parentElement.textContent.trim() !== document.activeElement.textContent.trim()`)
		}
	}
	all := strings.Join(stops, "\n")
	for _, want := range []string{"A To the content", "A host powered off", "SUMMARY C", "PRE ", "closed SUMMARY Python", "closed SUMMARY host powered off", "INPUT", "BUTTON", "DIV "} {
		if !strings.Contains(all, want) {
			t.Errorf("Tab does not reach %q, but\n%s", want, all)
		}
	}

	b.do(chromedp.Focus(`#ladder-0 .step[tabindex="0"]`))
	b.press(kb.ArrowDown, kb.ArrowDown, kb.Enter)
	if id := value[string](b, `document.activeElement.id`); id != "ladder-0-2" {
		t.Errorf("two steps down from the first event is %s", id)
	}
	if detail := value[string](b, `document.activeElement.querySelector(".detail").textContent`); !strings.Contains(detail, "client is ESTABLISHED") {
		t.Errorf("Enter shows %q", detail)
	}
	b.press(kb.ArrowUp, kb.Enter)
	if detail := value[string](b, `document.activeElement.querySelector(".detail").textContent`); !strings.Contains(detail, "frame 1, 2, 3, 4 of captures/01.pcapng") {
		t.Errorf("Enter shows %q, expected the packet's frames", detail)
	}
	b.press(kb.End)
	if text := value[string](b, `document.activeElement.textContent`); !strings.Contains(text, "forged RST") {
		t.Errorf("End leads to %q", text)
	}
}

func TestNoTextIsCutAtAnyWidth(t *testing.T) {
	t.Parallel()
	file := audited(t, story())
	for _, width := range []int64{360, 800, 1600} {
		b := open(t, file, "ladder-0", width)
		b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = true)`))
		if w := value[int64](b, `document.documentElement.scrollWidth`); w > width {
			t.Errorf("at %d px the page is %d px wide", width, w)
		}
		cut := value[[]string](b, `[...document.querySelectorAll("body *")].filter(e => {
			if (!e.childNodes.length || e.closest("[hidden], .skip") || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) return false;
			const range = document.createRange();
			range.selectNodeContents(e);
			return [...range.getClientRects()].some(r => r.left < -1 || r.right > innerWidth + 1);
		}).map(e => e.className + ": " + e.textContent.slice(0, 40))`)
		if len(cut) > 0 {
			t.Errorf("at %d px text is cut: %q", width, cut)
		}
	}
}

func TestTenThousandEventsScrollAndFilter(t *testing.T) {
	t.Parallel()
	var rungs []ladder.Rung
	for i := range 10000 {
		rungs = append(rungs, ladder.Rung{
			At: time.Duration(i) * 100 * time.Millisecond, Kind: "packet", Host: 0, Text: fmt.Sprintf("request %d", i),
			Arrow: &ladder.Arrow{Brief: fmt.Sprintf("PSH,ACK %d bytes", i), To: 2, Arrived: time.Duration(i) * 100 * time.Millisecond},
		})
	}
	b := open(t, audited(t, rungs), "ladder-0", 1000)
	b.until("the events are there", rows+`.length === 10000`)
	b.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, document.body.scrollHeight)`))
	b.do(chromedp.SendKeys(`#ladder-0 input[type=search]`, "request 777"))
	b.until("the filter leaves those with the word", rows+`.length === 19`) // 777, 1777 … 9777, 7770 … 7779
	if text := value[string](b, `document.querySelector("#ladder-0 output").textContent`); text != "19 of 10000 events" {
		t.Errorf("the page says %q", text)
	}
	if info, err := os.Stat(strings.TrimPrefix(value[string](b, `location.pathname`), "file://")); err != nil || info.Size() > 1<<20 {
		t.Errorf("the page: %v, %v, expected at most 1 MiB", info.Size(), err)
	}
}

// matrixReport returns the directory of a test run with the committed detection matrix, each cell of
// which has a story.
func matrixReport(t *testing.T) string {
	t.Helper()
	m, err := detection.Committed()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	content, err := m.JSON()
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, page.MatrixFile), content, 0o644)
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(directory, report.Ladders), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, shard.JSONFile), []byte("[]"), 0o644)
	}
	for _, r := range m {
		for _, d := range r.Protocol.Detectors() {
			drawn, e := (&ladder.Ladder{Title: r.LadderName(d), Hosts: []ladder.Host{{Name: "client"}, {Name: "firewall"}, {Name: "server"}}, Rungs: story(), Ended: 800 * time.Second}).JSON()
			if err = errors.Join(err, e); err == nil {
				err = os.WriteFile(filepath.Join(directory, report.Ladders, r.LadderName(d)+".json"), drawn, 0o644)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestACellOfTheMatrixOpensItsStory(t *testing.T) {
	t.Parallel()
	m, err := detection.Committed()
	if err != nil {
		t.Fatal(err)
	}
	detectors, file := m[0].Protocol.Detectors(), measured(t)
	b := open(t, file, "", 1200)
	b.until("no story shows at first", `[...document.querySelectorAll(".ladder")].every(e => !e.checkVisibility())`)
	b.do(chromedp.Click(`table.heat tbody tr:first-child td:nth-of-type(2) a`))
	b.until("the story of the cell shows", `document.querySelectorAll(".ladder[open] .step").length === 7`)
	if title := value[string](b, `document.querySelector(".ladder[open] summary").textContent`); title != m[0].LadderName(detectors[0]) {
		t.Errorf("the cell opens %q, expected %q", title, m[0].LadderName(detectors[0]))
	}
	for _, width := range []int64{360, 800, 1600} {
		b.do(chromedp.EmulateViewport(width, 900))
		if w := value[int64](b, `document.documentElement.scrollWidth`); w > width {
			t.Errorf("at %d px the page is %d px wide", width, w)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Size() > 5<<20 {
		t.Errorf("the page: %v, %v, expected at most 5 MiB", info.Size(), err)
	}
}
