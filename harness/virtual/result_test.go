package virtual

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
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
	outcome, err := receive(handedOut(t, "failed/one/timeline.txt", tar.TypeReg), directory, nil)
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
		if _, err := receive(handedOut(t, name, tar.TypeReg), filepath.Join(above, "report"), nil); err == nil {
			t.Errorf("%q was unpacked, expected an error", name)
		}
		if _, err := os.Lstat(filepath.Join(above, "escaped")); err == nil {
			t.Errorf("%q left the directory", name)
		}
	}
}

func TestAReportHasNoLinks(t *testing.T) {
	directory := t.TempDir()
	if _, err := receive(handedOut(t, "link", tar.TypeSymlink), directory, nil); err == nil {
		t.Error("a symbolic link was unpacked, expected an error")
	}
}

func TestAGuestThatSaidNothingLeftNoReport(t *testing.T) {
	if _, err := receive(bytes.NewReader(nil), t.TempDir(), nil); err != errNone {
		t.Errorf("receive: %v, expected %v", err, errNone)
	}
}
