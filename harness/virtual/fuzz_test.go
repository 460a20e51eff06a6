package virtual

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// size returns the bytes of all files below a directory.
func size(t *testing.T, directory string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(directory, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if entry.Type().IsRegular() {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// A guest is not trusted: what it hands out stays in its directory, and within its memory. The
// archive is given uncompressed, so that the fuzzer gets into it.
func FuzzWhatAGuestHandsOut(f *testing.F) {
	archive := func(headers ...tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if err := w.WriteHeader(&h); err != nil {
				f.Fatal(err)
			}
			if _, err := w.Write(make([]byte, h.Size)); err != nil {
				f.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	outcome := []byte(`{"Commands":[{"Status":3,"Took":7200}],"Booted":0.1,"Seconds":7200.5}`)
	f.Add(outcome, archive(tar.Header{Typeflag: tar.TypeDir, Name: "failed/", Mode: 0o755}, tar.Header{Typeflag: tar.TypeReg, Name: "failed/a", Size: 5, Mode: 0o644}))
	f.Add(outcome, archive(tar.Header{Typeflag: tar.TypeReg, Name: "../escaped", Size: 1}))
	f.Add(outcome, archive(tar.Header{Typeflag: tar.TypeReg, Name: "/escaped", Size: 1}))
	f.Add(outcome, archive(tar.Header{Typeflag: tar.TypeSymlink, Name: "link", Linkname: ".."}, tar.Header{Typeflag: tar.TypeReg, Name: "link/escaped", Size: 1}))
	f.Add(outcome, archive(tar.Header{Typeflag: tar.TypeReg, Name: "a", Size: 1}, tar.Header{Typeflag: tar.TypeDir, Name: "a/"}))
	f.Add([]byte(`{"Trouble":"x"}`), []byte{})
	f.Add([]byte(`null`), []byte("not an archive"))
	f.Fuzz(func(t *testing.T, outcome, archive []byte) {
		var from bytes.Buffer
		from.Write(outcome)
		from.WriteByte('\n')
		compressed := gzip.NewWriter(&from)
		if _, err := compressed.Write(archive); err != nil {
			t.Fatal(err)
		}
		if err := compressed.Close(); err != nil {
			t.Fatal(err)
		}
		above := t.TempDir()
		into := filepath.Join(above, "report")
		const memory = 1 // MiB
		_, err := receive(&from, memory, into, nil)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is not one line: %q", err)
		}
		if entries, err := os.ReadDir(above); err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "report" {
			t.Errorf("beside the report there is %v, %v", entries, err)
		}
		if got := size(t, above); got > memory<<20 {
			t.Errorf("the report has %d bytes", got)
		}
	})
}

func FuzzWhatAGuestPrints(f *testing.F) {
	f.Add([]byte("a line\r\nKernel panic - not syncing: x\n"), 7)
	f.Add([]byte("halfopen: the program x ran without a system call: virtual time stands still\n"), 1)
	f.Fuzz(func(t *testing.T, printed []byte, piece int) {
		c := &console{}
		for len(printed) > 0 {
			n := min(max(piece, 1), len(printed))
			if _, err := c.Write(printed[:n]); err != nil {
				t.Fatal(err)
			}
			printed = printed[n:]
		}
		if len(c.Last()) > (kept+1)*(longestLine+1) {
			t.Errorf("it keeps %d bytes", len(c.Last()))
		}
		if trouble := c.Trouble(); strings.Contains(trouble, "\n") {
			t.Errorf("the trouble is not one line: %q", trouble)
		}
	})
}
