package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// The files that tell the formats apart (image-spec, image-layout.md; docker image save).
const (
	layoutIndex  = "index.json"
	dockerImages = "manifest.json"
)

// openFile opens an image in a file or a directory.
func openFile(file string) (v1.Image, error) {
	files, err := readable(file)
	if err != nil {
		return nil, err
	}
	switch {
	case files.has(layoutIndex): // newer versions of Docker write both
		return openLayout(files)
	case files.has(dockerImages):
		return openSaved(file, files)
	}
	return nil, fmt.Errorf("it has neither %s nor %s: %s", layoutIndex, dockerImages, forms)
}

// container is a set of files: a directory, or a tar archive.
type container interface {
	has(name string) bool
	// open opens a regular file and says how many bytes it has.
	open(name string) (io.ReadCloser, int64, error)
}

func readable(file string) (container, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return directory(file), nil
	}
	return readArchive(file)
}

// readSmall reads a file that cannot be large.
func readSmall(files container, name string) ([]byte, error) {
	r, size, err := files.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	if size > maxConfig {
		return nil, fmt.Errorf("%s has %d bytes, and may have %d", name, size, maxConfig)
	}
	content, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return content, nil
}

// directory is the path of a directory.
type directory string

func (d directory) has(name string) bool {
	_, err := os.Stat(filepath.Join(string(d), name))
	return err == nil
}

func (d directory) open(name string) (io.ReadCloser, int64, error) {
	file := filepath.Join(string(d), name)
	info, err := os.Stat(file) // opening a named pipe could wait for ever
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, fmt.Errorf("it is not whole: it has no %s", name)
	}
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file", file)
	}
	f, err := os.Open(file)
	return f, info.Size(), err
}

// archive is a tar archive.
type archive struct {
	file  string
	files map[string]section
}

// section is where the content of a file stands in an archive.
type section struct{ offset, size int64 }

// maxFiles is how many files an archive of layers may have. Images have at most 127 layers
// in Docker, and some files for each.
const maxFiles = 1 << 16

func readArchive(file string) (_ *archive, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	a := &archive{file: file, files: map[string]section{}}
	r := tar.NewReader(f) // it reads in whole blocks, and does not read ahead
	for {
		header, err := r.Next()
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return nil, archiveError(f, err, len(a.files) == 0)
		}
		if len(a.files) >= maxFiles {
			return nil, fmt.Errorf("it has more than %d files: %s", maxFiles, forms)
		}
		if header.Typeflag != tar.TypeReg {
			continue // layers that old versions of Docker wrote as links are found by the library
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		a.files[path.Clean(header.Name)] = section{at, header.Size}
	}
}

// archiveError says what is wrong with an archive that cannot be read; first: its first
// file cannot.
func archiveError(f *os.File, err error, first bool) error {
	start := make([]byte, 2)
	if _, err := f.ReadAt(start, 0); err == nil && bytes.Equal(start, []byte{0x1f, 0x8b}) { // RFC 1952, section 2.3.1
		return errors.New("the archive is compressed: unpack it first (gunzip)")
	}
	switch {
	case first:
		return fmt.Errorf("it is not a tar archive: %s", forms)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the archive is cut short: write or copy it again")
	}
	return fmt.Errorf("the archive is damaged: write or copy it again: %w", err)
}

func (a *archive) has(name string) bool { _, ok := a.files[name]; return ok }

func (a *archive) open(name string) (io.ReadCloser, int64, error) {
	at, ok := a.files[path.Clean(name)]
	if !ok {
		return nil, 0, fmt.Errorf("it is not whole: it has no %s", name)
	}
	f, err := os.Open(a.file)
	if err != nil {
		return nil, 0, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, at.offset, at.size), f}, at.size, nil
}

// openSaved opens an archive of docker save.
func openSaved(file string, files container) (v1.Image, error) {
	content, err := readSmall(files, dockerImages)
	if err != nil {
		return nil, err
	}
	var images tarball.Manifest
	if err := inputfile.Unmarshal(content, &images); err != nil {
		return nil, fmt.Errorf("reading %s: %w", dockerImages, err)
	}
	if len(images) != 1 {
		var names []string
		for _, i := range images {
			names = append(names, strings.Join(i.RepoTags, " "))
		}
		return nil, fmt.Errorf("it has %d images (%s): save one alone (docker save NAME)", len(images), strings.Join(names, ", "))
	}
	if _, err := readSmall(files, images[0].Config); err != nil { // the library takes any size
		return nil, err
	}
	found, err := tarball.Image(func() (io.ReadCloser, error) { return os.Open(file) }, nil)
	if err != nil {
		return nil, err
	}
	return saved{found}, nil
}
