package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// example is an image with two layers, and what its root has.
func example(t testing.TB) (v1.Image, []string) {
	return imageOf(t, v1.Config{Entrypoint: []string{"/app"}}, layerFrom(t, archiveOf(t, file("app", "1"), file("b", "x"))), layerFrom(t, archiveOf(t, file("app", "2")))),
		[]string{base, "0 0644 0:0 app = 2", "0 0644 0:0 b = x"}
}

func digest(t testing.TB, i v1.Image) string {
	t.Helper()
	d, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestEveryFormOfAFile(t *testing.T) {
	i, want := example(t)
	id, err := i.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	inLayout := writeLayout(t, i)
	compressed := filepath.Join(t.TempDir(), "compressed.tar")
	if err := tarball.WriteToFile(compressed, name.MustParseReference("example:1"), i); err != nil {
		t.Fatal(err)
	}
	for form, test := range map[string]struct{ file, digest string }{
		"layout":                             {inLayout, digest(t, i)},
		"layout's tar":                       {writeTar(t, inLayout), digest(t, i)},
		"docker save":                        {writeSaved(t, i), id.String()},
		"docker save with compressed layers": {compressed, id.String()},
	} {
		opened, err := Open(t.Context(), test.file)
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if opened.Digest != test.digest || !slices.Equal(opened.Config.Arguments(), []string{"/app"}) {
			t.Errorf("%s: %s runs %q, expected %s", form, opened.Digest, opened.Config.Arguments(), test.digest)
		}
		if has, err := root(t, test.file); err != nil || !slices.Equal(has, want) {
			t.Errorf("%s: %q, %v", form, has, err)
		}
	}
}

func TestTheImageForThisPlatformIsChosen(t *testing.T) {
	i, want := example(t)
	arm := imageFor(t, v1.Platform{OS: "linux", Architecture: "arm64"}, v1.Config{})
	attestation := imageFor(t, v1.Platform{}, v1.Config{})
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: i, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: attestation, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}})
	directory := t.TempDir()
	path, err := layout.Write(directory, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendIndex(index); err != nil {
		t.Fatal(err)
	}
	if has, err := root(t, directory); err != nil || !slices.Equal(has, want) {
		t.Errorf("%q, %v", has, err)
	}
	for file, text := range map[string]string{
		writeLayout(t, arm):         "it is for linux/arm64, and halfopen runs linux/amd64 only",
		writeSaved(t, arm):          "it is for linux/arm64, and halfopen runs linux/amd64 only",
		writeLayout(t, attestation): "it is not an image that can be run",
		writeLayout(t):              "it is not an image that can be run",
		writeLayout(t, i, imageOf(t, v1.Config{User: "other"})): "it has 2 images for linux/amd64 (image0, image1): copy one of them",
	} {
		refused(t, file, text)
	}
}

// refused expects that an image is refused in one line.
func refused(t testing.TB, file, want string) {
	t.Helper()
	if _, err := root(t, file); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v, expected %q", filepath.Base(file), err, want)
	}
}

func TestWhatIsNoImageIsRefusedInOneLine(t *testing.T) {
	directory := t.TempDir()
	at := func(name string) string { return filepath.Join(directory, name) }
	write(t, at("text.tar"), []byte(strings.Repeat("no archive\n", 100)))
	write(t, at("empty.tar"), nil)
	write(t, at("gzip.tar"), []byte{0x1f, 0x8b, 8, 0, 0})
	write(t, at("other.tar"), archiveOf(t, file("readme", "hello")))
	write(t, at("two.tar"), archiveOf(t, file("manifest.json", `[{"RepoTags":["a:1"]},{"RepoTags":["b:1"]}]`)))
	write(t, at("outside.tar"), archiveOf(t, file("manifest.json", `[{"Config":"../../etc/passwd"}]`)))
	write(t, at("odd.tar"), archiveOf(t, file("manifest.json", `{`)))
	write(t, at("index.tar"), archiveOf(t, file("index.json", `[]`)))
	write(t, at("noblob.tar"), archiveOf(t, file("index.json", `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:`+strings.Repeat("0", 64)+`"}]}`)))
	write(t, at("path.tar"), archiveOf(t, file("index.json", `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../../../etc/passwd"}]}`)))
	write(t, at("huge.tar"), sized(t, 1<<40))
	if err := syscall.Mkfifo(at("pipe.tar"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"text.tar":    "it is not a tar archive: an image is a reference such as",
		"empty.tar":   "it has neither index.json nor manifest.json",
		"gzip.tar":    "unpack it first (gunzip)",
		"other.tar":   "it has neither index.json nor manifest.json",
		"two.tar":     "it has 2 images (a:1, b:1): save one alone (docker save NAME)",
		"outside.tar": "it is not whole: it has no ../../etc/passwd",
		"odd.tar":     "reading manifest.json: it is cut short",
		"index.tar":   "reading its index: json: cannot unmarshal array",
		"noblob.tar":  "it is not whole: it has no blobs/sha256/000",
		"path.tar":    "reading its index: ",
		"huge.tar":    "the archive is cut short",
		"pipe.tar":    "is neither a file nor a directory",
		"missing.tar": "no such file: an image is a reference such as",
		".":           "it has neither index.json nor manifest.json",
	} {
		refused(t, at(name), want)
	}
	for name, want := range map[string]string{
		"Redis:7":         `"Redis:7" names no image: an image is a reference such as redis:7`,
		"":                `"" names no image`,
		"https://x/redis": `names no image`,
		"redis:a b":       `names no image`,
		"a@sha256:12":     `names no image`,
		"missing.tar":     `there is no image missing.tar: no such file`,
		"./missing":       `there is no image ./missing: no such file`,
		"a\x00b":          `names no image`,
		"x\ny":            `names no image`,
	} {
		if err := Check(name); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, expected %q", name, err, want)
		}
	}
	for _, name := range []string{"redis", "redis:7", "ghcr.io/owner/name:tag", "localhost:5000/x@sha256:" + strings.Repeat("a", 64), directory} {
		if err := Check(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestADamagedImageIsRefused(t *testing.T) {
	i, _ := example(t)
	manifest, err := i.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for want, h := range map[string]v1.Hash{
		"it is damaged: blobs/sha256/" + digest(t, i)[7:]:           v1Hash(t, digest(t, i)),
		"it is damaged: blobs/sha256/" + manifest.Config.Digest.Hex: manifest.Config.Digest,
		"layer 2: it is damaged: its digest should be sha256:":      manifest.Layers[1].Digest,
	} {
		directory := writeLayout(t, i)
		path := filepath.Join(directory, blobPath(h))
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if h == manifest.Layers[1].Digest {
			content = archiveOf(t, file("app", "another"))
		} else {
			content = bytes.Replace(content, []byte("linux"), []byte("LINUX"), 1)
			content = append(content, ' ')
		}
		write(t, path, content)
		refused(t, directory, want)
		refused(t, writeTar(t, directory), want)
	}
	bad := badLayer(t, layerFrom(t, archiveOf(t, file("a", "1"))))
	refused(t, writeSaved(t, imageOf(t, v1.Config{}, bad)), "layer 1: it is damaged: its digest should be sha256:")
}

func v1Hash(t testing.TB, text string) v1.Hash {
	t.Helper()
	h, err := v1.NewHash(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// An archive that is cut anywhere is refused in one line, or the part that is missing is
// only the padding at its end.
func TestAnArchiveThatIsCutShort(t *testing.T) {
	i, want := example(t)
	for _, whole := range []string{writeTar(t, writeLayout(t, i)), writeSaved(t, i)} {
		content, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		refusals := 0
		for size := 0; size < len(content); size += 256 {
			cut := filepath.Join(t.TempDir(), fmt.Sprintf("cut%d.tar", size))
			write(t, cut, content[:size])
			has, err := root(t, cut)
			switch {
			case err == nil && !slices.Equal(has, want):
				t.Errorf("after %d of %d bytes: %q", size, len(content), has)
			case err != nil && strings.Contains(err.Error(), "\n"):
				t.Errorf("after %d of %d bytes: %v", size, len(content), err)
			case err != nil:
				refusals++
			}
		}
		if refusals < len(content)/256-8 {
			t.Errorf("only %d of %d were refused", refusals, len(content)/256)
		}
	}
}

// FuzzArchive opens any bytes as the archive of an image: what is refused is refused in one
// line.
func FuzzArchive(f *testing.F) {
	i, _ := example(f)
	for _, path := range []string{writeTar(f, writeLayout(f, i)), writeSaved(f, i)} {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "image.tar")
		write(t, path, content)
		if _, err := root(t, path); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("two lines: %v", err)
		}
	})
}
