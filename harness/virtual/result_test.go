package virtual

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// handedOut is what a guest writes: an outcome and an archive with one file.
func handedOut(t *testing.T, name string, kind byte) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(`{"Commands":[{"Status":3,"Took":7200}],"Seconds":7200.5}` + "\n")
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	header := &tar.Header{Typeflag: kind, Name: name, Mode: 0o644}
	if kind == tar.TypeReg {
		header.Size = 5
	} else {
		header.Linkname = "/etc"
	}
	if err := archive.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if kind == tar.TypeReg {
		if _, err := archive.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestTheReportComesOut(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "report")
	outcome, err := receive(handedOut(t, "failed/one/timeline.txt", tar.TypeReg), 256, directory, nil)
	if err != nil || len(outcome.Commands) != 1 || outcome.Commands[0].Status != 3 || outcome.Seconds != 7200.5 {
		t.Errorf("receive: %+v, %v, expected the status 3 after 7200.5 s", outcome, err)
	}
	content, err := os.ReadFile(filepath.Join(directory, "failed/one/timeline.txt"))
	if err != nil || string(content) != "hello" {
		t.Errorf("the file holds %q, %v, expected hello", content, err)
	}
}

func TestAReportStaysInItsDirectory(t *testing.T) {
	for _, name := range []string{"../escaped", "a/../../escaped", "/escaped"} {
		above := t.TempDir()
		if _, err := receive(handedOut(t, name, tar.TypeReg), 256, filepath.Join(above, "report"), nil); err == nil {
			t.Errorf("%q was unpacked, expected an error", name)
		}
		if _, err := os.Lstat(filepath.Join(above, "escaped")); err == nil {
			t.Errorf("%q left the directory", name)
		}
	}
}

func TestAReportHasNoLinks(t *testing.T) {
	directory := t.TempDir()
	if _, err := receive(handedOut(t, "link", tar.TypeSymlink), 256, directory, nil); err == nil {
		t.Error("a symbolic link was unpacked, expected an error")
	}
}

func TestAGuestThatSaidNothingLeftNoReport(t *testing.T) {
	if _, err := receive(bytes.NewReader(nil), 256, t.TempDir(), nil); err != errNone {
		t.Errorf("receive: %v, expected %v", err, errNone)
	}
}

func TestAGuestHandsOutNoMoreThanItsMemory(t *testing.T) {
	var archive bytes.Buffer
	compressed := gzip.NewWriter(&archive)
	w := tar.NewWriter(compressed)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "zeros", Size: 2 << 20}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	for what, from := range map[string][]byte{
		"the report":  append([]byte("{}\n"), archive.Bytes()...), // 2 KiB, compressed
		"the outcome": bytes.Repeat([]byte(" "), 2<<20),
	} {
		directory := t.TempDir()
		if _, err := receive(bytes.NewReader(from), 1, directory, nil); !errors.Is(err, errTooMuch) {
			t.Errorf("%s: %v, expected %v", what, err, errTooMuch)
		}
		if got := size(t, directory); got > 1<<20 {
			t.Errorf("%s: %d bytes are left", what, got)
		}
	}
	if _, err := receive(bytes.NewReader(append([]byte("{}\n"), archive.Bytes()...)), 3, t.TempDir(), nil); err != nil {
		t.Errorf("in a guest of 3 MiB: %v", err)
	}
}
