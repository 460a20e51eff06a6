package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

// Build returns the kernel that Find finds. If there is none, Build builds it, which
// takes minutes, and writes its progress to a writer, which may be nil. If
// environment.KernelURL is set, Build fetches the released kernel from there instead.
//
// The error is a *Lacks when tools are missing, and a *Damaged when the kernel in the
// cache is damaged. A build whose ctx ends leaves nothing behind.
func Build(ctx context.Context, s Source, to io.Writer) (Kernel, error) {
	b, err := newBuilder(s, to)
	if err != nil {
		return Kernel{}, err
	}
	return b.build(ctx)
}

// Update builds the kernel from the newest package that apt knows, with this machine's
// compiler. It returns the kernel in the cache if that has the same inputs. Find returns
// an updated kernel from then on.
func Update(ctx context.Context, s Source, to io.Writer) (Kernel, error) {
	b, err := newBuilder(s, to)
	if err != nil {
		return Kernel{}, err
	}
	b.update = true
	return b.build(ctx)
}

// builder builds one kernel.
type builder struct {
	source   Source
	recipe   recipe
	cache    cache
	progress *progress
	update   bool     // builds the kernel even if the cache has one of older inputs
	released released // the zero value: no kernel of the source was released
	address  string   // of the folder with released kernels; empty: the kernel is built here
	maxBytes int64    // of a released kernel
}

func newBuilder(s Source, to io.Writer) (*builder, error) {
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	r, err := recipeFor(embedded, s)
	if err != nil {
		return nil, err
	}
	return &builder{source: s, recipe: r, cache: c, progress: newProgress(to), released: releases[s], address: environment.Read().KernelURL, maxBytes: maxKernel}, nil
}

func (b *builder) build(ctx context.Context) (Kernel, error) {
	defer b.progress.close()
	if k, err := b.find(); !errors.Is(err, ErrNotBuilt) {
		return k, err
	}
	unlock, err := b.cache.lock(ctx, b.progress)
	if err != nil {
		return Kernel{}, err
	}
	defer unlock()
	// Another process may have built it in the meantime.
	if k, err := b.find(); !errors.Is(err, ErrNotBuilt) {
		return k, err
	}
	work, err := os.MkdirTemp(b.cache.directory, unfinished)
	if err != nil {
		return Kernel{}, fmt.Errorf("building the user-mode kernel: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // the next build removes what is left
	if b.address != "" && b.released.recipe == b.recipe.hash() {
		return b.download(ctx, work)
	}
	if b.address != "" {
		b.progress.begin("no kernel %s of this version was released: building it", b.source)
	}
	k, err := b.make(ctx, work)
	if err != nil && ctx.Err() != nil {
		return Kernel{}, fmt.Errorf("building the user-mode kernel: %w", context.Cause(ctx))
	}
	return k, err
}

// find returns the kernel in the cache, unless an update was asked for.
func (b *builder) find() (Kernel, error) {
	if b.update {
		return Kernel{}, ErrNotBuilt
	}
	return b.cache.find(b.source, b.recipe.hash())
}

// space is how many bytes a build takes in the cache's file system.
const space = 1 << 30

// make builds the kernel in a directory, which the caller removes.
func (b *builder) make(ctx context.Context, work string) (Kernel, error) {
	began := time.Now()
	if strings.ContainsAny(b.cache.directory, " :'\"$#%\\") {
		return Kernel{}, fmt.Errorf("building the user-mode kernel in %s: make takes no directory with a space, a colon, a quote or another character that it understands: name another cache by XDG_CACHE_HOME", b.cache.directory)
	}
	if err := needed(ctx); err != nil {
		return Kernel{}, err
	}
	if err := debian.RoomFor("building the user-mode kernel", b.cache.directory, space); err != nil {
		return Kernel{}, err
	}
	file, err := os.Create(filepath.Join(b.cache.directory, "build-"+string(b.source)+".log"))
	if err != nil {
		return Kernel{}, fmt.Errorf("building the user-mode kernel: %w", err)
	}
	defer func() { _ = file.Close() }()
	log := &buildLog{file}
	t := tree{directory: filepath.Join(work, "linux"), source: b.source, recipe: b.recipe, progress: b.progress, log: log}
	k, cached, err := b.fetch(ctx, work, t)
	if err != nil || cached {
		return k, err
	}
	program, err := t.build(ctx)
	if err != nil {
		return Kernel{}, err
	}
	k.Release, err = t.release()
	if err != nil {
		return Kernel{}, err
	}
	k.Made, k.Seconds = time.Now().UTC().Round(0), time.Since(began).Round(time.Second/10).Seconds()
	k, err = b.cache.put(program, k)
	if err != nil {
		return Kernel{}, err
	}
	b.progress.begin("built Linux %s in %v", k.Release, time.Since(began).Round(time.Second))
	return k, nil
}

// fetch fetches the source and unpacks it to the tree. It returns the kernel's inputs,
// or the kernel itself if the cache has one with the same inputs.
func (b *builder) fetch(ctx context.Context, work string, t tree) (k Kernel, cached bool, err error) {
	b.progress.begin("updating apt's lists")
	a, err := newApt(filepath.Join(work, "apt"), t.log)
	if err != nil {
		return Kernel{}, false, fmt.Errorf("preparing apt: %w", err)
	}
	o, err := a.newest(ctx, b.source)
	if err != nil {
		return Kernel{}, false, err
	}
	k = Kernel{Source: b.source, Package: o.version, Recipe: b.recipe.hash()}
	if k.Compiler, err = compiler(ctx); err != nil {
		return Kernel{}, false, err
	}
	if found, err := b.cache.read(b.cache.path(k)); err == nil && found.Verify() == nil {
		return found, true, nil
	}
	b.progress.begin("fetching %s %s, %d MB", o.name, o.version, o.size/1e6)
	archive, err := a.fetch(ctx, o, b.progress)
	if err != nil {
		return Kernel{}, false, err
	}
	b.progress.begin("unpacking it")
	return k, false, errors.Join(t.unpack(ctx, archive), os.RemoveAll(a.directory))
}
