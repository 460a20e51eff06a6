package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// privateImages gives the test a cache of images of its own, with this machine's kernels
// and packages.
func privateImages(t *testing.T) {
	t.Helper()
	shared, err := environment.Cache()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	for _, name := range []string{"kernel", "debian", "apt", "roots"} {
		if err := os.MkdirAll(filepath.Join(shared, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(own, "halfopen"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(shared, name), filepath.Join(own, "halfopen", name)); err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := exec.Command("go", "env", "GOCACHE").Output() // by itself it would move along
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(compiled)))
	t.Setenv("XDG_CACHE_HOME", own)
	t.Setenv("DOCKER_CONFIG", own) // no logins
}

// imageLayer returns a layer with files: a name with a / at its end is a directory.
func imageLayer(t *testing.T, files map[string]string) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o755}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// makeImage returns an image for linux/amd64 with a Go program of this module as /usr/bin/app.
func makeImage(t *testing.T, program string, config v1.Config, layers ...v1.Layer) v1.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app")
	cmd := exec.Command("go", "build", "-trimpath", "-o", file, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64") // an image has no libraries unless it brings them
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", program, err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	layers = append(layers, imageLayer(t, map[string]string{"usr/bin/app": string(content)}))
	made, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	whole = whole.DeepCopy()
	whole.OS, whole.Architecture, whole.Config = "linux", "amd64", config
	if made, err = mutate.ConfigFile(made, whole); err != nil {
		t.Fatal(err)
	}
	return made
}

// inLayout writes an image as a layout, and returns its directory.
func inLayout(t *testing.T, i v1.Image) string {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "layout")
	path, err := layout.Write(directory, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(i); err != nil {
		t.Fatal(err)
	}
	return directory
}

// Go's listeners switch keepalive on, 15/15/9 (package net, ListenConfig). The image says
// what runs, as whom, and where it listens.
func TestAnAuditOfAnImageByTheNameOfItsFile(t *testing.T) {
	privateImages(t)
	i := makeImage(t, "../../fixtures/programs/echo", v1.Config{Entrypoint: []string{"app"}, ExposedPorts: map[string]struct{}{"5000/tcp": {}}, User: "1000:1000"})
	digest, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	file, report := inLayout(t, i), t.TempDir()
	stdout, stderr, status := audited(t, "--image", file, "--json", "--report", report)
	var a answer.Answer
	if err := json.Unmarshal([]byte(stdout), &a); status != 0 || err != nil {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
	}
	if p := a.Program; p.Command != "app" || p.Side != answer.Server || p.Port != 5000 || p.Image == nil || *p.Image != (answer.Image{Name: file, Digest: digest.String()}) {
		t.Errorf("the program is %+v of %+v, expected the image's of %s", p, p.Image, digest)
	}
	if s := a.Settings; s == nil || !s.Keepalive || s.Idle.Duration().Seconds() != 15 || s.Interval.Duration().Seconds() != 15 || s.Count != 9 {
		t.Errorf("the settings are %+v", s)
	}
	for _, f := range a.Faults {
		if f.Verdict == answer.Unmeasured {
			t.Errorf("%s: %s", f.Title(), f.Words())
		}
	}
	page, err := os.ReadFile(filepath.Join(report, answer.MarkdownFile))
	if err != nil || !strings.Contains(string(page), digest.String()) {
		t.Errorf("%v: the page does not have the digest:\n%s", err, page)
	}
	if !strings.Contains(a.Text(), digest.String()) {
		t.Errorf("the text does not have the digest:\n%s", a.Text())
	}
}

// What an image's configuration says of its program is what the program finds, whether the
// image comes from a registry or from an archive of docker save.
func TestAProgramFindsWhatItsImageSays(t *testing.T) {
	privateImages(t)
	i := makeImage(t, "./testdata/inside",
		v1.Config{Entrypoint: []string{"app", "two words"}, Cmd: []string{"{port}", ""}, User: "app:mail", WorkingDir: "/srv/data", Env: []string{"GREETING=hello", "PATH=/usr/bin"}, ExposedPorts: map[string]struct{}{"7000": {}}},
		imageLayer(t, map[string]string{"etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:1234:5678::/home/app:/bin/sh\n", "etc/group": "mail:x:8:\n", "run/app/state": "kept", "srv/replaced": "old", "srv/removed": ""}),
		imageLayer(t, map[string]string{"srv/replaced": "new", "srv/.wh.removed": ""}))
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	reference := strings.TrimPrefix(s.URL, "http://") + "/team/app:1"
	parsed, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, i); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "app.tar")
	if err := tarball.WriteToFile(archive, parsed, i); err != nil {
		t.Fatal(err)
	}
	want := "[two words 7000 ] 1234 8 [] /srv/data /home/app hello /usr/bin / dev etc proc run srv sys tmp usr / kept new open /srv/removed: no such file or directory 127.0.0.1 localhost guest; ::1 localhost"
	for _, image := range []string{reference, archive} {
		_, stderr, status := audited(t, "--image", image, "--report", t.TempDir())
		if status != notMeasured || !strings.Contains(stderr, "exit status 3; it wrote: "+want) {
			t.Errorf("%s: exit status %d, expected %q:\n%s", image, status, want, stderr)
		}
	}
}

// An image may also be only the root of a command that the user names.
func TestAnImageWithAnotherCommand(t *testing.T) {
	privateImages(t)
	i := makeImage(t, "./testdata/inside", v1.Config{Entrypoint: []string{"nosuch"}})
	_, stderr, status := audited(t, "--image", inLayout(t, i), "--client", "app {server}:{port}", "--port", "80", "--user", "7:9", "--env", "GREETING=hi", "--report", t.TempDir())
	if want := "[198.51.100.20:80] 7 9 [] / / hi /usr/local/sbin:"; status != notMeasured || !strings.Contains(stderr, want) {
		t.Errorf("exit status %d, expected %q:\n%s", status, want, stderr)
	}
}

// What is wrong with an image is said in one line, before anything slow.
func TestBadImagesAreRefusedAtOnce(t *testing.T) {
	privateImages(t)
	none, many := makeImage(t, "./testdata/inside", v1.Config{}), makeImage(t, "./testdata/inside", v1.Config{Cmd: []string{"app"}, ExposedPorts: map[string]struct{}{"80": {}, "443/tcp": {}}})
	text := filepath.Join(t.TempDir(), "text.tar")
	if err := os.WriteFile(text, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := inLayout(t, many)
	for _, c := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"--image", "Not An Image"}, `"Not An Image" names no image: an image is a reference such as redis:7`},
		{[]string{"--image", "missing.tar"}, "there is no image missing.tar: no such file"},
		{[]string{"--image", text}, "it is not a tar archive"},
		{[]string{"--image", inLayout(t, none)}, "names no program, neither an entry point nor a command: name one (--server or --client)"},
		{[]string{"--image", file}, "exposes 80/tcp, 443/tcp, and not one TCP port: say where the server listens (--port)"},
		{[]string{"--image", file, "--client", "app"}, "exposes 80/tcp, 443/tcp, and not one TCP port"},
		{[]string{"--image", file, "--package", "redis-server"}, "packages are installed over this machine's root"},
		{[]string{"--image", file, "--hide", "/etc"}, "leave out --hide"},
		{[]string{"--image", file, "--host"}, "--host and --image are both given"},
	} {
		status, out, stderr := shell(t, append([]string{"audit", "--report", filepath.Join(t.TempDir(), "report")}, c.arguments...)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if status != notMeasured || out != "" || !strings.Contains(last, c.want) || len(lines) > 2 {
			t.Errorf("%q: status %d, %q, %q; expected one line with %q", c.arguments, status, out, stderr, c.want)
		}
	}
}
