package settings

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func grid(t *testing.T, rows, columns string, set ...string) Grid {
	t.Helper()
	g, err := gridOf(rows, columns, set...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func gridOf(rows, columns string, set ...string) (Grid, error) {
	var axes []Axis
	for _, text := range append([]string{rows, columns}, set...) {
		a, err := ParseAxis(text)
		if err != nil {
			return Grid{}, err
		}
		axes = append(axes, a)
	}
	var fixed []Setting
	for _, a := range axes[2:] {
		fixed = append(fixed, Setting{a.Name, a.Values[0]})
	}
	return NewGrid(axes[0], axes[1], fixed, false, false)
}

// What the oracle says of single cells, from the facts that the settings and the firewall are.
func TestTheOracleSays(t *testing.T) {
	for _, c := range []struct {
		set       []string
		idle, off string
	}{
		{[]string{"idle=off"}, "never", "never"},
		{[]string{"idle=60s"}, "survives", "ETIMEDOUT after 735 to 827 s"},
		{[]string{"idle=600s"}, "ETIMEDOUT after 1275 to 1434 s", "ETIMEDOUT after 1275 to 1434 s"},
		{[]string{"idle=320s"}, "survives, or ETIMEDOUT after 995 to 1119 s", "ETIMEDOUT after 995 to 1119 s"},
		// The kernel probes again after the interval, if that is longer.
		{[]string{"idle=15s", "interval=600s"}, "ETIMEDOUT after 6000 to 6750 s", "ETIMEDOUT after 5415 to 6092 s"},
		{[]string{"idle=600s", "then=reset-sender"}, "ECONNRESET after 600 to 675 s", "ECONNRESET after 600 to 675 s"},
		{[]string{"idle=off", "then=reset-sender"}, "never", "never"},
		{[]string{"idle=off", "then=reset-both"}, "ECONNRESET after 350 to 394 s", "ECONNRESET after 350 to 394 s"},
		{[]string{"idle=60s", "then=reset-both", "interval=400s"}, "ECONNRESET after 350 to 394 s", "ECONNRESET after 410 to 461 s"},
		{[]string{"idle=600s", "then=pick-up"}, "survives", "ETIMEDOUT after 1275 to 1434 s"},
		{[]string{"idle=60s", "user-timeout=100s"}, "survives", "ETIMEDOUT after 135 to 152 s"},
		{[]string{"idle=off", "heartbeat=10s", "silence=30s"}, "survives", "silence after 30 to 45 s"},
		{[]string{"idle=off", "heartbeat=400s"}, "ETIMEDOUT after 1325 to 1625 s", "ETIMEDOUT after 1325 to 1625 s"},
		{[]string{"idle=off", "heartbeat=10s", "user-timeout=20s"}, "survives", "ETIMEDOUT after 30 to 34 s"},
		{[]string{"idle=off", "firewall=none", "heartbeat=60s", "silence=30s"}, "silence after 60 to 68 s", "silence after 30 to 101 s"},
		{[]string{"idle=60s", "then=reset-sender", "heartbeat=400s"}, "survives", "ETIMEDOUT after 1325 to 1625 s, or ECONNRESET after 300 to 1625 s"},
		{[]string{"idle=off", "firewall=aws-alb"}, "zero-read after 60 to 68 s", "zero-read after 60 to 68 s"},
		{[]string{"idle=15s", "firewall=haproxy"}, "survives", "never"},
		{[]string{"idle=15s", "firewall=none"}, "survives", "ETIMEDOUT after 690 to 776 s"},
	} {
		// The axes are settings that the cell does not use.
		unused := []string{"count=9", "silence=off"}
		set := append([]string(nil), c.set...)
		if slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, "silence=") }) {
			unused[1], set = set[len(set)-1], set[:len(set)-1]
		}
		if !slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, "heartbeat=") }) {
			unused[1] = "heartbeat=off"
		}
		cell := grid(t, unused[0], unused[1], set...).Cells()[0]
		if got := cell.Idle().String(); got != c.idle {
			t.Errorf("%v, idle: %s; expected %s", c.set, got, c.idle)
		}
		if got := cell.Off().String(); got != c.off {
			t.Errorf("%v, power off: %s; expected %s", c.set, got, c.off)
		}
	}
}

// A program that accepts connections is outside of the firewall: what it sends opens nothing.
func TestAFirewallThatPicksUpOutboundFlowsForgetsServers(t *testing.T) {
	cell := grid(t, "firewall=gcp-vpc-firewall", "idle=1200s").Cells()[0]
	if got := cell.Idle().String(); got != "survives" {
		t.Errorf("a client: %s", got)
	}
	cell.Outside = true
	if got := cell.Idle().String(); got != "ETIMEDOUT after 1875 to 2109 s" {
		t.Errorf("a server: %s", got)
	}
}

func TestBadGridsAreRefused(t *testing.T) {
	for _, c := range []struct {
		rows, columns string
		set           []string
		want          string
	}{
		{"idle=60s", "idle=90s", nil, "is on both axes"},
		{"idel=60s", "count=3", nil, `there is no setting "idel": the nearest are idle`},
		{"idle", "count=3", nil, "has no value"},
		{"idle=", "count=3", nil, "is empty"},
		{"idle=60s,60s", "count=3", nil, "has the value 60 s twice"},
		{"idle=60s,1m", "count=3", nil, "has the value 60 s twice"},
		{"idle=60", "count=3", nil, "it is not a time"},
		{"idle=0s", "count=3", nil, "it must be between"},
		{"idle=40000s", "count=3", nil, "it must be between"},
		{"idle=60s", "count=0", nil, "from 1 to 127"},
		{"idle=60s", "count=3", []string{"then=explode"}, "it must be one of silent-drop"},
		{"idle=60s", "firewall=azure", nil, "there is no preset"},
		{"idle=60s", "firewall=azure-lb", []string{"then=reset-both"}, "a preset says what it does"},
		{"idle=60s", "count=3", []string{"idle=7s"}, "is on an axis"},
		{"idle=60s", "firewall=350s", []string{"silence=10s"}, "and there is none: set heartbeat"},
		{"idle=off", "heartbeat=1s", []string{"firewall=none", "user-timeout=2000000s"}, "packets while they are watched"},
	} {
		if _, err := gridOf(c.rows, c.columns, c.set...); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %s, %v: %v; expected %q", c.rows, c.columns, c.set, err, c.want)
		}
	}
}

// asSaid returns outcomes as the oracle says, the first of its words.
func asSaid(cells []Cell) (pairs []Pair) {
	of := func(w Words) Outcome { return Outcome{Is: w[0].Is, As: w[0].As, After: w[0].Window.Latest} }
	for _, c := range cells {
		pairs = append(pairs, Pair{of(c.Idle()), of(c.Off())})
	}
	return pairs
}

func TestAMapIsPrinted(t *testing.T) {
	g := grid(t, DefaultRows, DefaultColumns)
	pairs := asSaid(g.Cells())
	m := Join(g, pairs, "Linux")
	if lines := m.Differences(); len(lines) > 0 {
		t.Errorf("%d differences from itself: %s", len(lines), lines[0])
	}
	pairs[3].Idle = Outcome{Is: Never}
	pairs[4].Off = Outcome{Trouble: "it was ended early"}
	m = Join(g, pairs, "Linux")
	if lines := m.Differences(); len(lines) != 2 || lines[0] != "firewall aws-nat-gw, idle 210 s, idle: never; the oracle: survives" {
		t.Errorf("%q", lines)
	}
	if m.Frontier[0].Measured != "60 s" || m.Frontier[0].Oracle != "300 s" {
		t.Errorf("%+v", m.Frontier[0])
	}
	for line := range strings.SplitSeq(m.Text(), "\n") {
		if n := utf8.RuneCountInString(line); n > Width {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	content, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Version int `json:"schema_version"`
		Cells   []struct {
			Row, Column string
			Idle        struct {
				Measured Outcome
				Oracle   string
				Agrees   bool
			}
		}
	}
	if err := json.Unmarshal(content, &read); err != nil || read.Version != Schema || len(read.Cells) != len(m.Cells) {
		t.Fatalf("%v, %d cells", err, len(read.Cells))
	}
	if c := read.Cells[3]; c.Row != "aws-nat-gw" || c.Column != "210 s" || c.Idle.Measured.Is != Never || c.Idle.Agrees || c.Idle.Oracle != "survives" {
		t.Errorf("%+v", c)
	}
	decoder := xml.NewDecoder(strings.NewReader(m.SVG()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
}

func TestAWideMapHasSeveralTables(t *testing.T) {
	g := grid(t, "firewall=350s", "idle=1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s,12s,13s,14s,15s,16s,17s,18s,19s,20s,21s,22s,23s,24s,25s")
	text := Join(g, asSaid(g.Cells()), "Linux").Text()
	for line := range strings.SplitSeq(text, "\n") {
		if n := utf8.RuneCountInString(line); n > Width {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	if n := strings.Count(text, "to (oracle)"); n != 1 {
		t.Errorf("the frontier is printed %d times:\n%s", n, text)
	}
}

func TestOutcomesAreReadAsTheyAreWritten(t *testing.T) {
	for _, o := range []Outcome{{Is: Survives}, {Is: Never}, {Is: Noticed, As: "ETIMEDOUT", After: 7875100 * time.Millisecond}, {Is: Noticed, As: "ECONNRESET"}, {Trouble: "no"}} {
		content, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var read Outcome
		if err := json.Unmarshal(content, &read); err != nil || read != o {
			t.Errorf("%v: %s: %v, %v", o, content, read, err)
		}
	}
}

// Whatever an axis is, it is some values of a setting, which are read again as they are printed, or
// one line says what is wrong.
func FuzzParseAxis(f *testing.F) {
	for _, text := range []string{DefaultRows, DefaultColumns, "idle=off,15s", "count=1,127", "user-timeout=1ms,2.5s", "firewall=azure-lb=1800,none,350s", "then=reset-both", "idle=", "=x", "", "idle=1e9s", "firewall=presets,presets", "idle=1h,60min", "silence=0s", "idle=\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAxis(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one line: %q", err)
			}
			return
		}
		var values []string
		for _, v := range a.Values {
			values = append(values, v.String())
		}
		again, err := ParseAxis(string(a.Name) + "=" + strings.Join(values, ","))
		if err != nil || len(again.Values) != len(a.Values) {
			t.Errorf("%q is printed as %q, which is read as %v, %v", text, values, again.Values, err)
		}
	})
}
