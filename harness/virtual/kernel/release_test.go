package kernel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// theKernel is what a release carries in these tests.
var theKernel = bytes.Repeat([]byte("a kernel "), 1000)

// most is how large it may be.
const most = 1 << 20

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func compressed(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// serve serves one file, of which it promises as many bytes as promised.
func serve(t *testing.T, path string, content []byte, promised int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(promised))
		_, _ = w.Write(content)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/releases"
}

// releasedBench builds nothing: a kernel was released.
func releasedBench(t *testing.T, name, address string) *builder {
	t.Helper()
	newBench(t)
	t.Setenv(environment.KernelURL, address)
	b, err := newBuilder(Debian13, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.maxBytes = most
	b.released = released{name: name, sha256: sumOf(theKernel), pkg: "6.12.1-1", release: "6.12.1", recipe: b.recipe.hash()}
	return b
}

func TestAReleasedKernelIsFetchedAndKept(t *testing.T) {
	for _, c := range []struct {
		name    string
		content []byte
	}{
		{"linux", theKernel},
		{"linux.xz", compressed(t, theKernel)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := releasedBench(t, c.name, serve(t, "/releases/"+c.name, c.content, len(c.content)))
			k, err := b.build(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(k.File)
			if err != nil || !bytes.Equal(content, theKernel) || k.SHA256 != sumOf(theKernel) || k.Release != "6.12.1" || k.Package != "6.12.1-1" || k.Compiler != "" {
				t.Errorf("%d bytes, %v, %+v", len(content), err, k)
			}
			if found, err := Find(Debian13); err != nil || found != k {
				t.Errorf("found %+v, %v, expected %+v", found, err, k)
			}
		})
	}
}

func TestAReleasedKernelThatIsWrongIsRefusedInOneLine(t *testing.T) {
	other := bytes.ToUpper(theKernel)
	packed := compressed(t, theKernel)
	for _, c := range []struct {
		what, name string
		content    []byte
		promised   int
		want       string
	}{
		{"other bytes", "linux", other, len(other), "its checksum is " + sumOf(other) + ", but that of the released kernel is " + sumOf(theKernel) + ": it is not used"},
		{"other bytes, compressed", "linux.xz", compressed(t, other), len(compressed(t, other)), "its checksum is " + sumOf(other) + ", but that of "},
		{"half of it", "linux", theKernel[:4500], len(theKernel), "unexpected EOF"},
		{"half of it, compressed", "linux.xz", packed[:len(packed)/2], len(packed), "unexpected EOF"},
		{"half of it, and no more promised", "linux", theKernel[:4500], 4500, "its checksum is "},
		{"half of it, compressed, and no more promised", "linux.xz", packed[:len(packed)/2], len(packed) / 2, "unexpected EOF"},
		{"not compressed", "linux.xz", theKernel, len(theKernel), "unpacking it: "},
		{"another file", "linux-6.12", nil, 0, "404 Not Found"},
		{"too large", "linux", make([]byte, most+1), maxKernel + 1, "it is too large for a kernel"},
		{"too large when unpacked", "linux.xz", compressed(t, make([]byte, most+1)), len(compressed(t, make([]byte, most+1))), "it is too large for a kernel"},
	} {
		t.Run(c.what, func(t *testing.T) {
			name := strings.TrimSuffix(c.name, "-6.12")
			address := serve(t, "/releases/"+c.name, c.content, c.promised)
			b := releasedBench(t, name, address)
			_, err := b.build(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "fetching the released kernel: "+address+"/"+name+": "+c.want) ||
				!strings.HasSuffix(err.Error(), "(to build it here, unset HALFOPEN_KERNEL_URL)") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\nexpected: %s", err, c.want)
			}
			if _, err := Find(Debian13); !errors.Is(err, ErrNotBuilt) {
				t.Errorf("afterwards the cache has one: %v", err)
			}
		})
	}
}

func TestAnAddressOfReleasesMustBeOne(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"ftp://example.com/", `HALFOPEN_KERNEL_URL is "ftp://example.com/", which is no address of http or https`},
		{"/tmp/linux", "which is no address of http or https"},
		{"http://a b", "which is no address of http or https"},
		{"http://user:secret@127.0.0.1:1/x", "http://user:xxxxx@127.0.0.1:1/x/linux: dial tcp 127.0.0.1:1: connect: connection refused"},
	} {
		_, err := releasedBench(t, "linux", c.address).build(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", c.address, err)
		}
	}
}

func TestAReleaseOfAnotherRecipeIsNotUsed(t *testing.T) {
	b := releasedBench(t, "linux", "http://127.0.0.1:1")
	b.released.recipe = "another"
	if k, err := b.build(t.Context()); err != nil || k.Compiler == "" {
		t.Errorf("it was to be built: %+v, %v", k, err)
	}
}
