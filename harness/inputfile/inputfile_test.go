package inputfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

func TestAFileHasALimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", 2048)), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := inputfile.Read(t.Context(), file, 2048); err != nil || len(content) != 2048 {
		t.Errorf("as large as allowed: %d bytes, %v", len(content), err)
	}
	for path, want := range map[string]string{file: "has more than 1 KiB: is it the right file?", "/dev/zero": "has more than 1 KiB", "/": "/ is a directory: name a file", "": "the name of the file is empty"} {
		if _, err := inputfile.Read(t.Context(), path, 1024); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", path, err, want)
		}
	}
	if _, err := inputfile.Read(t.Context(), "/nosuch", 1); !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), "check its name and its permissions") {
		t.Errorf("no file: %v", err)
	}
}

// Nobody opens the pipe for writing: opening it for reading would wait for ever.
func TestWaitingForAPipeEndsWithTheContext(t *testing.T) {
	made := func(name string) (pipe string) {
		pipe = filepath.Join(t.TempDir(), name)
		if err := unix.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		return pipe
	}
	pipe := made("silent")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := inputfile.Read(ctx, pipe, 1024); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "waiting for "+pipe) {
		t.Errorf("reading a pipe: %v", err)
	}
	pipe = made("written") // the first one still has a reader
	go func() { _ = os.WriteFile(pipe, []byte("text"), 0) }()
	if content, err := inputfile.Read(t.Context(), pipe, 1024); err != nil || string(content) != "text" {
		t.Errorf("a pipe that is written: %q, %v", content, err)
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	var into struct {
		Name string `json:"name"`
	}
	if err := inputfile.Decode("f", []byte(`{"schema_version": 3, "name": "x"}`), "an answer", 3, &into); err != nil || into.Name != "x" {
		t.Errorf("%+v, %v", into, err)
	}
	for content, want := range map[string]string{
		"":                              "f is not an answer: it is empty",
		" \n":                           "f is not an answer: it is empty",
		"{}":                            "f is not an answer, or an older halfopen has written it: it has no schema_version",
		"[]":                            "f is not an answer: line 1 has another value than is expected",
		"{\"a\": 1,\n x}":               "f is not an answer: line 2 is not JSON",
		"{\"schema_version\": 3, \"na":  "f is not an answer: it is cut short",
		`{"schema_version": 4}`:         "f has schema version 4, and this halfopen reads 3: use the halfopen that has written it",
		`{"schema_version": 2}`:         "f has schema version 2, and this halfopen reads 3",
		`{"schema_version": "x"}`:       "f is not an answer: ",
		`{"schema_version":3,"name":7}`: "f is not an answer: line 1 has another value than name may have",
	} {
		err := inputfile.Decode("f", []byte(content), "an answer", 3, &into)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "json:") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, expected one line that begins with %q", content, err, want)
		}
	}
}
