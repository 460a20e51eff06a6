package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/halfopen-lab/halfopen/harness/lockfile"
)

// Root returns the path of the image's root file system, a tar archive in the cache, and how
// many bytes it has. It
// makes the archive if the cache does not have it, which reads all layers, and makes it
// again if it is damaged. Another process that reads an image is waited for. Log receives a line
// when it does either; nil: nobody.
//
// The archive has the files of all layers as a container has them, with owners as numbers,
// permissions, times, hard links and extended attributes, and without devices in /dev. The
// directory in which the program starts and the image's volumes are there. The same image
// gives the same bytes.
func (i *Image) Root(ctx context.Context, log io.Writer) (file string, size int64, err error) {
	if log == nil {
		log = io.Discard
	}
	c, err := userCache()
	if err != nil {
		return "", 0, err
	}
	lock, err := lockfile.Wait(ctx, filepath.Join(c.directory, "lock"), func(h *lockfile.Held) {
		_, _ = fmt.Fprintf(log, "halfopen: waiting for %s, which reads an image\n", h.By)
	})
	if err != nil {
		return "", 0, fmt.Errorf("locking the cache of images: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Remove()) }()
	there, err := c.find(i.Digest)
	if damaged, ok := errors.AsType[*Damaged](err); ok {
		_, _ = fmt.Fprintf(log, "halfopen: %s is damaged: %s: it is made again\n", damaged.File, damaged.Why)
		there, err = nil, there.Remove()
	}
	if err != nil {
		return "", 0, err
	}
	if there != nil {
		return there.File, there.Size, nil
	}
	_, _ = fmt.Fprintf(log, "halfopen: reading the image %s, layers: %d\n", i.Name, len(i.layers))
	file, size, err = c.make(i.Digest, func(to io.Writer, spool *os.File) error { return i.flatten(ctx, to, spool) })
	switch {
	case ctx.Err() != nil && err != nil:
		err = context.Cause(ctx)
	case err != nil && i.explain != nil:
		err = i.explain(err)
	}
	if err != nil {
		return "", 0, fmt.Errorf("reading the image %s: %w", i.Name, err)
	}
	return file, size, nil
}

// flatten writes the image's root file system as a tar archive.
func (i *Image) flatten(ctx context.Context, to io.Writer, spool *os.File) error {
	t := newTree(spool)
	for n, layer := range i.layers {
		if err := t.applyVerified(ctx, layer, i.diffIDs[n]); err != nil {
			return fmt.Errorf("layer %d: %w", n+1, err)
		}
	}
	t.layer++
	for _, name := range append(i.Config.volumes, i.Config.Directory) {
		if _, err := t.directory(name); err != nil {
			return fmt.Errorf("its directory %q %w", name, err)
		}
	}
	return t.write(to)
}

// applyVerified lays a layer over the tree and compares its digest.
func (t *tree) applyVerified(ctx context.Context, layer v1.Layer, want v1.Hash) error {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	sum := sha256.New()
	r := io.TeeReader(&until{ctx, content}, sum)
	if err := t.apply(r); err != nil {
		return err
	}
	// The digest is of the whole layer. A tar archive may be followed by anything.
	if _, err := io.Copy(io.Discard, io.LimitReader(r, maxSize)); err != nil {
		return err
	}
	if has := hex.EncodeToString(sum.Sum(nil)); want.Algorithm != "sha256" || has != want.Hex {
		return fmt.Errorf("it is damaged: its digest should be %s, and is sha256:%s", want, has)
	}
	return nil
}

// until is a reader that fails once a context has ended.
type until struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}
