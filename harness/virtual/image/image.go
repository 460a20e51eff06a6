package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sys/unix"
)

// Image is a container image for linux/amd64. Its layers have not been read yet.
type Image struct {
	Name string // as the caller wrote it
	// Digest identifies the image: "sha256:…", the digest of its manifest. An archive of
	// docker save without a manifest has the image's ID instead, the digest of its
	// configuration.
	Digest string
	Config Config

	layers  []v1.Layer // the lowest first
	diffIDs []v1.Hash  // of the layers, uncompressed
	// explain says in one line what a registry has answered; nil: it is a file.
	explain func(error) error
}

// forms says what names an image, for error texts.
const forms = "an image is a reference such as redis:7 or ghcr.io/owner/name@sha256:…, an OCI layout (a directory or its tar), or an archive of docker save"

// Check reports, in one line, a name that cannot be an image's: neither a reference nor a
// file that is there. It asks no registry.
func Check(name string) error {
	_, err := locate(name)
	return err
}

// place is where an image is: in a registry, or in a file.
type place struct {
	reference name.Reference // nil: a file
	file      string
}

// locate tells a file from a reference. A file that is there is a file; what is written as
// a path or ends as an archive does is one that is missing.
func locate(text string) (place, error) {
	info, err := os.Stat(text)
	switch {
	case err == nil && !info.IsDir() && !info.Mode().IsRegular():
		return place{}, fmt.Errorf("the image %s is neither a file nor a directory: %s", text, forms)
	case err == nil:
		return place{file: text}, nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ELOOP): // there is something, which cannot be opened
		return place{}, fmt.Errorf("opening the image: %w: %s", err, forms)
	}
	for _, prefix := range []string{"/", "./", "../", "~"} {
		if strings.HasPrefix(text, prefix) {
			return place{}, fmt.Errorf("there is no image %s: no such file: %s", text, forms)
		}
	}
	for _, suffix := range []string{".tar", ".tgz", ".tar.gz"} {
		if strings.HasSuffix(text, suffix) {
			return place{}, fmt.Errorf("there is no image %s: no such file: %s", text, forms)
		}
	}
	reference, err := name.ParseReference(text)
	if err != nil {
		return place{}, fmt.Errorf("%q names no image: %s", text, forms)
	}
	return place{reference: reference}, nil
}

// Open opens the image of that name: a reference to an image in a registry, or the path of a
// file. It reads the manifest and the configuration, and no layer. Where a name stands for
// images of several architectures, it is the one for linux/amd64.
//
// Open asks the registry until ctx ends, which also ends the reading of the layers later. A
// registry that sends nothing for half a minute has failed. The user's Docker
// configuration says how to log in.
func Open(ctx context.Context, name string) (*Image, error) {
	at, err := locate(name)
	if err != nil {
		return nil, err
	}
	var found v1.Image
	if at.reference != nil {
		found, err = pull(ctx, at.reference)
	} else {
		found, err = openFile(at.file)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the image %s: %w", name, err)
	}
	i, err := describe(name, found)
	if err != nil {
		return nil, fmt.Errorf("opening the image %s: %w", name, err)
	}
	if at.reference != nil {
		i.explain = func(err error) error { return explain(err, at.reference) }
	}
	return i, nil
}

// maxConfig is how many bytes an image's configuration or a manifest may have: 4 MiB, as
// registries must accept (https://github.com/opencontainers/distribution-spec, "Pushing
// Manifests").
const maxConfig = 4 << 20

// describe reads what an image says of itself.
func describe(name string, found v1.Image) (*Image, error) {
	raw, err := found.RawConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading its configuration: %w", err)
	}
	file, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("reading its configuration: %w", err)
	}
	if !isWanted(file.Platform()) {
		return nil, otherPlatform(file.Platform())
	}
	digest, err := digestOf(found, raw)
	if err != nil {
		return nil, err
	}
	layers, err := found.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading its manifest: %w", err)
	}
	if len(layers) != len(file.RootFS.DiffIDs) {
		return nil, fmt.Errorf("it is damaged: it has %d layers, and its configuration has the digests of %d", len(layers), len(file.RootFS.DiffIDs))
	}
	for n, layer := range layers {
		kind, err := layer.MediaType()
		if err != nil {
			return nil, fmt.Errorf("reading its manifest: %w", err)
		}
		if !kind.IsLayer() {
			return nil, fmt.Errorf("layer %d has the media type %s, which is none of a layer that can be read", n+1, kind)
		}
	}
	config, err := configOf(file.Config)
	if err != nil {
		return nil, err
	}
	return &Image{Name: name, Digest: digest.String(), Config: config, layers: layers, diffIDs: file.RootFS.DiffIDs}, nil
}

// saved is an image from an archive of docker save, which has no manifest: the library
// makes one, by compressing all layers.
type saved struct{ v1.Image }

// digestOf returns the digest that identifies an image. The digests are chained: the
// manifest has that of the configuration, which is compared as it is read, and the
// configuration has those of the layers.
func digestOf(found v1.Image, config []byte) (v1.Hash, error) {
	if _, ok := found.(saved); ok {
		id, _, err := v1.SHA256(bytes.NewReader(config))
		return id, err
	}
	return found.Digest()
}

// otherKind returns the error of a media type that is no image's.
func otherKind(kind types.MediaType) error {
	if kind == types.DockerManifestSchema1 || kind == types.DockerManifestSchema1Signed {
		return errors.New("it has a manifest of version 1, which Docker has given up: pull and push it again with a newer Docker")
	}
	return fmt.Errorf("it has the media type %q, which is no image's", kind)
}
