package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// openLayout opens the image of an OCI layout. The library's package layout reads
// directories only, and does not compare digests.
func openLayout(files container) (v1.Image, error) {
	content, err := readSmall(files, layoutIndex)
	if err != nil {
		return nil, err
	}
	images, entries, err := choose(&index{files, content, types.OCIImageIndex}, 0)
	if err != nil {
		return nil, err
	}
	distinct, names := map[v1.Hash]bool{}, []string{}
	for _, entry := range entries {
		distinct[entry.Digest] = true
		if name := entry.Annotations["org.opencontainers.image.ref.name"]; name != "" { // image-spec, annotations.md
			names = append(names, name)
		}
	}
	if len(distinct) > 1 {
		return nil, fmt.Errorf("it has %d images for %s (%s): copy one of them to a layout of its own (skopeo copy, crane pull)", len(distinct), wanted, strings.Join(names, ", "))
	}
	return images[0], nil
}

// blobPath returns the name of a blob's file in a layout (image-spec, image-layout.md).
func blobPath(h v1.Hash) string { return path.Join("blobs", h.Algorithm, h.Hex) }

// readBlob reads a manifest or a configuration and compares its digest.
func readBlob(files container, want v1.Hash) ([]byte, error) {
	content, err := readSmall(files, blobPath(want))
	if err != nil {
		return nil, err
	}
	has, _, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if has != want {
		return nil, fmt.Errorf("it is damaged: %s has the digest %s", blobPath(want), has)
	}
	return content, nil
}

// index is an index in a layout. It implements v1.ImageIndex.
type index struct {
	files   container
	content []byte
	kind    types.MediaType
}

func (i *index) MediaType() (types.MediaType, error) { return i.kind, nil }
func (i *index) RawManifest() ([]byte, error)        { return i.content, nil }
func (i *index) Digest() (v1.Hash, error)            { return partial.Digest(i) }
func (i *index) Size() (int64, error)                { return partial.Size(i) }
func (i *index) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(i.content))
}

// Image returns an image whose manifest is in the layout.
func (i *index) Image(h v1.Hash) (v1.Image, error) {
	content, err := readBlob(i.files, h)
	if err != nil {
		return nil, err
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(&core{i.files, content, manifest})
}

// ImageIndex returns an index that is in the layout.
func (i *index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	content, err := readBlob(i.files, h)
	if err != nil {
		return nil, err
	}
	return &index{i.files, content, types.OCIImageIndex}, nil
}

// core is an image in a layout. It implements partial.CompressedImageCore, of which the
// library makes the rest.
type core struct {
	files    container
	content  []byte
	manifest *v1.Manifest
}

func (c *core) RawManifest() ([]byte, error)   { return c.content, nil }
func (c *core) RawConfigFile() ([]byte, error) { return readBlob(c.files, c.manifest.Config.Digest) }

// MediaType returns that of the manifest, which may leave it out (image-spec, manifest.md).
func (c *core) MediaType() (types.MediaType, error) {
	if c.manifest.MediaType == "" {
		return types.OCIManifestSchema1, nil
	}
	return c.manifest.MediaType, nil
}

// LayerByDigest returns a layer, or the configuration, which the library asks for too.
func (c *core) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	for _, d := range append(c.manifest.Layers, c.manifest.Config) {
		if d.Digest == h {
			return &blob{c.files, d}, nil
		}
	}
	return nil, errors.New("it has no layer " + h.String())
}

// blob is a compressed layer in a layout. It implements partial.CompressedLayer. Its digest
// is not compared: that of the layer once uncompressed is.
type blob struct {
	files container
	entry v1.Descriptor
}

func (b *blob) Digest() (v1.Hash, error)            { return b.entry.Digest, nil }
func (b *blob) Size() (int64, error)                { return b.entry.Size, nil }
func (b *blob) MediaType() (types.MediaType, error) { return b.entry.MediaType, nil }
func (b *blob) Compressed() (io.ReadCloser, error) {
	r, _, err := b.files.open(blobPath(b.entry.Digest))
	return r, err
}
