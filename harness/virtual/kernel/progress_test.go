package kernel

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestALogGetsALineForEachStageAndFewForPercentages(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out)
	p.begin("compiling on %d cores", 2)
	p.part(1, 100) // too early
	p.shown = time.Now().Add(-inLog)
	p.part(40, 100)
	p.part(41, 100) // too early
	p.shown = time.Now().Add(-inLog)
	p.part(150, 100)
	p.shown = time.Now().Add(-inLog)
	p.part(1, 0) // it is not known how much there is
	p.begin("built")
	p.close()
	want := "kernel: compiling on 2 cores\nkernel: compiling on 2 cores: 40 %\nkernel: compiling on 2 cores: 99 %\nkernel: built\n"
	if out.String() != want {
		t.Errorf("%q, expected %q", &out, want)
	}
}

func TestATerminalsLineIsRewritten(t *testing.T) {
	var out strings.Builder
	p := &progress{to: &out, terminal: true}
	p.begin("compiling")
	p.part(7, 100)
	p.part(8, 100)
	p.begin("built")
	p.close()
	p.close()
	if want := "kernel: compiling\rkernel: compiling: 7 %\x1b[K\rkernel: compiling: 8 %\x1b[K\nkernel: built\n"; out.String() != want {
		t.Errorf("%q, expected %q", &out, want)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if newProgress(f).terminal {
		t.Error("it is taken for one")
	}
}

func TestCompiledFilesAreCountedAcrossWrites(t *testing.T) {
	var out strings.Builder
	var last int64
	c := &counter{to: &out, each: func(n int64) { last = n }}
	for _, part := range []string{"  CC      a.o\n  C", "C      b.o\nmake: a line\n", "  AR      c\n  CC      d.o"} {
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if last != 2 || out.String() != "  CC      a.o\n  CC      b.o\nmake: a line\n  AR      c\n  CC      d.o" {
		t.Errorf("%d files in %q", last, &out)
	}
}
