package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// released is a kernel that is part of a release of this project.
type released struct {
	name    string // of the file: "linux-6.12.117.xz"
	sha256  string // of the kernel, uncompressed
	pkg     string // the version of Debian's package
	release string
	recipe  string // a kernel of another recipe is not used
}

// releases are the released kernels. There are none yet.
var releases = map[Source]released{}

// Bounds of a download.
const (
	maxKernel   = 64 << 20 // bytes, compressed or not; a kernel has 10 MB
	maxDownload = 10 * time.Minute
)

// download fetches the released kernel and puts it into the cache.
func (b *builder) download(ctx context.Context, work string) (Kernel, error) {
	began := time.Now()
	address, err := url.Parse(b.address)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return Kernel{}, fmt.Errorf("fetching the released kernel: %s is %q, which is no address of http or https", environment.KernelURL, b.address)
	}
	address = address.JoinPath(b.released.name)
	b.progress.begin("fetching the released kernel %s from %s", b.released.release, address.Redacted())
	file := filepath.Join(work, "linux")
	err = fetchReleased(ctx, address.String(), b.released.sha256, b.maxBytes, file)
	if err != nil {
		return Kernel{}, fmt.Errorf("fetching the released kernel: %s: %w (to build it here, unset %s)", address.Redacted(), err, environment.KernelURL)
	}
	k, err := b.cache.put(file, Kernel{Source: b.source, Package: b.released.pkg, Release: b.released.release, Recipe: b.released.recipe,
		Made: time.Now().UTC().Round(0), Seconds: time.Since(began).Round(time.Second / 10).Seconds()})
	if err == nil {
		b.progress.begin("fetched Linux %s", k.Release)
	}
	return k, err
}

// fetchReleased fetches a kernel to a file, decompresses it if the address ends in .xz,
// and checks its checksum. Neither the body nor the kernel may have more than most bytes.
func fetchReleased(ctx context.Context, address, sum string, most int64, file string) error {
	ctx, cancel := context.WithTimeout(ctx, maxDownload)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return withoutAddress(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return withoutAddress(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	var content io.Reader = &bounded{response.Body, most}
	if strings.HasSuffix(request.URL.Path, ".xz") {
		unpacked, err := xz.NewReader(content)
		if err != nil {
			return fmt.Errorf("unpacking it: %w", err)
		}
		content = &bounded{unpacked, most}
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), content)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("its checksum is %s, but that of the released kernel is %s: it is not used", got, sum)
	}
	return nil
}

// withoutAddress removes the address from an error of package http: it may contain a
// password.
func withoutAddress(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// bounded reads from r and fails after a number of bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, errors.New("it is too large for a kernel")
	}
	return n, err
}
