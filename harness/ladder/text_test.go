package ladder_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/halfopen-lab/halfopen/harness/ladder"
)

func at(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// forgotten is the story of a firewall that forgets an idle flow.
func forgotten() *ladder.Ladder {
	const flow = "192.0.2.10:40000 > 198.51.100.20:5000"
	packet := func(seconds float64, from, to int, brief string, end ladder.End) ladder.Rung {
		return ladder.Rung{
			At: at(seconds), Kind: "packet", Host: from, Text: flow + " " + brief,
			Arrow: &ladder.Arrow{Brief: brief, To: to, Arrived: at(seconds + 0.0001), End: end},
		}
	}
	forged := packet(400.2, 1, 0, "RST", "")
	forged.Forged = true
	l := &ladder.Ladder{
		Title: "a firewall forgets an idle flow",
		Hosts: []ladder.Host{{Name: "client", Role: "peer"}, {Name: "firewall", Role: "firewall"}, {Name: "server", Role: "peer"}},
		Rungs: []ladder.Rung{
			{At: 0, Kind: "step", Host: ladder.Everyone, Text: "the firewall forgets flows idle for 350 s, then RST to the next sender"},
			packet(0.05, 0, 2, "SYN", ""),
			{At: at(0.05), Kind: "conntrack", Host: 1, Text: "new SYN_SENT …", Subject: flow, State: "SYN_SENT", Expires: at(120.05)},
			packet(0.0502, 2, 0, "SYN,ACK", ""),
			packet(0.0504, 0, 2, "ACK", ""),
			{At: at(0.0504), Kind: "state", Host: 0, Text: "client is ESTABLISHED", Subject: "client", State: "ESTABLISHED"},
			{At: at(0.06), Kind: "state", Host: 2, Text: "server is ESTABLISHED", Subject: "server", State: "ESTABLISHED"},
		},
	}
	for i := range 3 {
		l.Rungs = append(l.Rungs, packet(10+10*float64(i), 0, 2, "keepalive probe", ""), packet(10.0002+10*float64(i), 2, 0, "ACK", ""))
	}
	l.Rungs = append(l.Rungs,
		ladder.Rung{At: at(380.1), Kind: "conntrack", Host: 1, Text: "destroy …", Subject: flow},
		packet(400, 0, 1, "PSH,ACK 4 bytes", ladder.Dropped),
		forged,
		ladder.Rung{At: at(400.3), Kind: "state", Host: 0, Text: "client is CLOSED", Subject: "client", State: "CLOSED"},
		packet(500, 2, 2, "keepalive probe", ladder.Lost),
		ladder.Rung{At: at(500), Kind: "peer", Host: 2, Text: "halfopen-echo: a line that is so long that it does not fit beside the lane of its host and is broken into two"},
	)
	l.Ended = at(600)
	l.Hosts[2].Sockets = []ladder.Socket{{Local: netip.MustParseAddrPort("198.51.100.20:5000"), Remote: netip.MustParseAddrPort("192.0.2.10:40000"), State: "ESTABLISHED", Unread: 4}}
	return l
}

func TestTextDrawsTheStory(t *testing.T) {
	want, err := os.ReadFile("testdata/forgotten.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := forgotten().Text(); got != string(want) {
		t.Errorf("drew\n%s\nexpected\n%s", got, want)
	}
}

func TestTextIsAtMost100ColumnsWide(t *testing.T) {
	for hosts := 2; hosts <= 6; hosts++ {
		l := forgotten()
		for len(l.Hosts) < hosts {
			l.Hosts = append(l.Hosts, ladder.Host{Name: "a-long-name", Role: "router"})
		}
		for _, line := range strings.Split(l.Text(), "\n") {
			if n := utf8.RuneCountInString(line); n > ladder.Columns {
				t.Errorf("%d hosts: %d columns: %s", hosts, n, line)
			}
		}
	}
}

func TestALadderSurvivesItsFile(t *testing.T) {
	content, err := forgotten().JSON()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ladder.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read.Text(), forgotten().Text(); got != want {
		t.Errorf("read back, it draws\n%s\nexpected\n%s", got, want)
	}
	if _, err := ladder.Parse([]byte("{")); err == nil {
		t.Error("half a file was read without an error")
	}
}

func TestTheSVGIsAPictureOfItsOwn(t *testing.T) {
	picture := forgotten().SVG()
	decoder := xml.NewDecoder(strings.NewReader(picture))
	var texts []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts = append(texts, string(text))
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if strings.Contains(a.Name.Local, "href") {
					t.Errorf("the picture refers to %s", a.Value)
				}
			}
		}
	}
	for _, want := range []string{"a firewall forgets an idle flow", "forged RST", "PSH,ACK 4 bytes, dropped at firewall", "⋮ the same 2 times more, until 30.000", "client is ESTABLISHED"} {
		if !slices.Contains(texts, want) {
			t.Errorf("the picture has no %q, but %q", want, texts)
		}
	}
}
