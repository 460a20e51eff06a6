package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// serve starts a registry on loopback. Requests for which disturb returns true get no other
// answer. It returns what stands before names in it.
func serve(t *testing.T, disturb func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	whole := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if disturb == nil || !disturb(w, r) {
			whole.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/"
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func push(t *testing.T, to string, i v1.Image) {
	t.Helper()
	if err := remote.Write(reference(t, to), i); err != nil {
		t.Fatal(err)
	}
}

func TestAnImageOfARegistry(t *testing.T) {
	at := serve(t, nil)
	i, want := example(t)
	push(t, at+"team/app:1", i)
	for _, name := range []string{at + "team/app:1", at + "team/app@" + digest(t, i)} {
		opened, err := Open(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if opened.Digest != digest(t, i) {
			t.Errorf("%s has the digest %s, expected %s", name, opened.Digest, digest(t, i))
		}
		if has, err := root(t, name); err != nil || !slices.Equal(has, want) {
			t.Errorf("%s: %q, %v", name, has, err)
		}
	}
}

func TestAManifestListOfARegistry(t *testing.T) {
	at := serve(t, nil)
	i, want := example(t)
	arm := imageFor(t, v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, v1.Config{})
	windows := imageFor(t, v1.Platform{OS: "windows", Architecture: "amd64"}, v1.Config{})
	entry := func(i v1.Image, os, architecture, variant string) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: i, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: architecture, Variant: variant}}}
	}
	for tag, entries := range map[string][]mutate.IndexAddendum{
		"many":  {entry(arm, "linux", "arm64", "v8"), entry(windows, "windows", "amd64", ""), entry(i, "linux", "amd64", "")},
		"other": {entry(arm, "linux", "arm64", "v8"), entry(windows, "windows", "amd64", "")},
	} {
		if err := remote.WriteIndex(reference(t, at+"app:"+tag), mutate.AppendManifests(empty.Index, entries...)); err != nil {
			t.Fatal(err)
		}
	}
	if has, err := root(t, at+"app:many"); err != nil || !slices.Equal(has, want) {
		t.Errorf("%q, %v", has, err)
	}
	opened, err := Open(t.Context(), at+"app:many")
	if err != nil || opened.Digest != digest(t, i) {
		t.Errorf("%+v, %v: expected the digest of the image, %s", opened, err, digest(t, i))
	}
	refused(t, at+"app:other", "it is for linux/arm64/v8, windows/amd64, and halfopen runs linux/amd64 only")
}

func TestWhatARegistryDoesNotHave(t *testing.T) {
	at := serve(t, nil)
	i, _ := example(t)
	push(t, at+"app:1", i)
	refused(t, at+"app:2", "has no app 2: look for the name and the tag")
	refused(t, at+"nosuch", "has no nosuch latest: look for the name and the tag")
	refused(t, at+"app@sha256:"+strings.Repeat("0", 64), "has no app sha256:0000")
}

func TestARegistryThatFails(t *testing.T) {
	for status, want := range map[int]string{
		500: "answered 500 Internal Server Error: try again later",
		401: "refuses it (401): there is no such image, or it needs a login: docker login 127.0.0.1:",
		403: "refuses it (403)",
		429: "answered 429 Too Many Requests",
	} {
		at := serve(t, func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "two\nlines", status)
			return true
		})
		refused(t, at+"app:1", want)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	refused(t, strings.TrimPrefix(closed.URL, "http://")+"/app:1", "cannot be reached: dial tcp 127.0.0.1:")
}

// The login is docker's, as docker login writes it into its configuration.
func TestARegistryThatWantsALogin(t *testing.T) {
	i, _ := example(t)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		if name, password, ok := r.BasicAuth(); r.Method == http.MethodGet && (!ok || name != "me" || password != "secret") {
			w.Header().Set("WWW-Authenticate", `Basic realm="a registry"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return true
		}
		return false
	})
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := strings.TrimSuffix(at, "/")
	login := func(password string) {
		config := fmt.Sprintf(`{"auths": {%q: {"username": "me", "password": %q}}}`, host, password)
		if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Write(reference(t, at+"app:1"), i, remote.WithAuth(&authn.Basic{Username: "me", Password: "secret"})); err != nil {
		t.Fatal(err)
	}
	refused(t, at+"app:1", "refuses it (401): there is no such image, or it needs a login: docker login "+host)
	login("wrong")
	refused(t, at+"app:1", "refuses it (401)")
	login("secret")
	if opened, err := Open(t.Context(), at+"app:1"); err != nil || opened.Digest != digest(t, i) {
		t.Errorf("with the login: %+v, %v", opened, err)
	}
}

// A registry that fails or falls silent in the middle of a layer, whose manifest it had.
func TestALayerThatDoesNotArriveWhole(t *testing.T) {
	var answer func(http.ResponseWriter, *http.Request)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		if answer == nil || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		answer(w, r)
		return true
	})
	i, _ := example(t)
	push(t, at+"app:1", i)
	layers, err := i.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for want, a := range map[string]func(http.ResponseWriter, *http.Request){
		"answered 500":                             func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) },
		"layer 2: it is cut short":                 cut(t, layers[1]),
		"layer 2: error verifying sha256 checksum": another(t, layers[1]),
	} {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		answer = nil
		opened, err := Open(t.Context(), at+"app:1")
		if err != nil {
			t.Fatal(err)
		}
		hash, err := layers[1].Digest()
		if err != nil {
			t.Fatal(err)
		}
		answer = func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, hash.Hex) {
				a(w, r)
				return
			}
			serveLayer(t, w, layers[0])
		}
		_, _, err = opened.Root(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, expected %q", err, want)
		}
		c, err := userCache()
		if err != nil {
			t.Fatal(err)
		}
		if left := files(t, c.directory); len(left) > 0 {
			t.Errorf("it left %q", left)
		}
	}
}

func content(t *testing.T, l v1.Layer) []byte {
	t.Helper()
	r, err := l.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func serveLayer(t *testing.T, w io.Writer, l v1.Layer) { _, _ = w.Write(content(t, l)) }

func cut(t *testing.T, l v1.Layer) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		all := content(t, l)
		w.Header().Set("Content-Length", strconv.Itoa(len(all)))
		_, _ = w.Write(all[:len(all)/2])
	}
}

func another(t *testing.T, l v1.Layer) func(http.ResponseWriter, *http.Request) {
	other := layerFrom(t, archiveOf(t, file("app", "3")))
	if len(content(t, other)) != len(content(t, l)) {
		t.Fatal("the other layer must have the same size")
	}
	return func(w http.ResponseWriter, _ *http.Request) { serveLayer(t, w, other) }
}

// silent answers with the header alone, or not at all, until its client gives up.
func silent(header bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if header {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		return true
	}
}

func TestARegistryThatSendsNothing(t *testing.T) {
	for _, header := range []bool{false, true} {
		at := serve(t, silent(header))
		began := time.Now()
		_, err := pullOver(t.Context(), reference(t, at+"app:1"), &bounded{next: remote.DefaultTransport, patience: 200 * time.Millisecond})
		if !errors.Is(err, errSilent) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, expected %v", err, errSilent)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

func TestAPullEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	at := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		cancel(why)
		return silent(false)(w, r)
	})
	if _, err := Open(ctx, at+"app:1"); !errors.Is(err, why) {
		t.Error(err)
	}
}
