package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// TestMain keeps the tests away from the user's cache and logins.
func TestMain(m *testing.M) {
	directory, err := os.MkdirTemp("", "halfopen-image-test-")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"XDG_CACHE_HOME", "DOCKER_CONFIG", "HOME"} {
		if err := os.Setenv(name, directory); err != nil {
			panic(err)
		}
	}
	status := m.Run()
	if err := os.RemoveAll(directory); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// entries of layers, for short tests.
func file(name, content string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), PAXRecords: map[string]string{"CONTENT.is": content}}
}

func dir(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755} }

func symlink(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}
}

func link(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}
}

// archiveOf returns a tar archive of the entries.
func archiveOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.PAXRecords["CONTENT.is"]
		h.Format = tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func layerFrom(t testing.TB, archive []byte) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// imageOf returns an image for linux/amd64 with these layers.
func imageOf(t testing.TB, config v1.Config, layers ...v1.Layer) v1.Image {
	t.Helper()
	return imageFor(t, v1.Platform{OS: "linux", Architecture: "amd64"}, config, layers...)
}

func imageFor(t testing.TB, p v1.Platform, config v1.Config, layers ...v1.Layer) v1.Image {
	t.Helper()
	i, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	i, err = mutate.ConfigFile(i, configFile(t, i, p, config))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func configFile(t testing.TB, i v1.Image, p v1.Platform, config v1.Config) *v1.ConfigFile {
	t.Helper()
	c, err := i.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Config = p.OS, p.Architecture, config
	return c
}

// writeLayout writes images as a layout, and returns its directory.
func writeLayout(t testing.TB, images ...v1.Image) string {
	t.Helper()
	directory := t.TempDir()
	path, err := layout.Write(directory, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for n, i := range images {
		if err := path.AppendImage(i, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": fmt.Sprint("image", n)})); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// writeTar writes a directory as a tar archive, and returns its path.
func writeTar(t testing.TB, directory string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	if err := errors.Join(w.AddFS(os.DirFS(directory)), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeSaved writes an archive as docker save did before version 25: layers are not
// compressed, and there is no manifest of the image.
func writeSaved(t testing.TB, i v1.Image) string {
	t.Helper()
	directory := t.TempDir()
	config, err := i.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := i.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for n, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("%q", fmt.Sprintf("layer%d.tar", n)))
		write(t, filepath.Join(directory, fmt.Sprintf("layer%d.tar", n)), content)
	}
	write(t, filepath.Join(directory, "config.json"), config)
	write(t, filepath.Join(directory, "manifest.json"), fmt.Appendf(nil, `[{"Config":"config.json","RepoTags":null,"Layers":[%s]}]`, strings.Join(names, ",")))
	return writeTar(t, directory)
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// badLayer is a layer with other contents than its digests say.
func badLayer(t testing.TB, good v1.Layer) v1.Layer {
	t.Helper()
	diff, err := good.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	return wrongDiff{static.NewLayer(archiveOf(t, file("etc/other", "x")), types.DockerUncompressedLayer), diff}
}

type wrongDiff struct {
	v1.Layer
	diff v1.Hash
}

func (w wrongDiff) DiffID() (v1.Hash, error) { return w.diff, nil }

// root opens an image and returns its root file system, a line for each file. The cache is
// empty before.
func root(t testing.TB, name string) ([]string, error) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	i, err := Open(t.Context(), name)
	if err != nil {
		return nil, err
	}
	file, _, err := i.Root(t.Context(), nil)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	return lines(t, f), nil
}

// lines describes the files of an archive: permissions, owner, name, and target or content.
func lines(t testing.TB, from io.Reader) (all []string) {
	t.Helper()
	r := tar.NewReader(from)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%c %04o %d:%d %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name)
		switch h.Typeflag {
		case tar.TypeReg:
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			line += " = " + string(content)
		case tar.TypeSymlink, tar.TypeLink:
			line += " -> " + h.Linkname
		case tar.TypeChar:
			line += fmt.Sprintf(" %d:%d", h.Devmajor, h.Devminor)
		}
		for name, value := range h.PAXRecords {
			if name, ok := strings.CutPrefix(name, attribute); ok {
				line += fmt.Sprintf(" [%s=%q]", name, value)
			}
		}
		all = append(all, line)
	}
}

// files returns the names in a directory.
func files(t testing.TB, directory string) []string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}
