// Package image reads container images: it opens one in a registry or in a file, says what
// the image runs, and flattens its layers into one tar archive, the root file system of the
// program.
//
// A file is an OCI image layout (a directory, or a tar archive of one) or what docker save
// writes. Images are for linux/amd64, as guests are. The formats are those of the OCI image
// specification (https://github.com/opencontainers/image-spec); the registries' protocol is
// github.com/google/go-containerregistry's.
//
// Everything that an image says of itself is checked before it is believed: the digests of
// its manifest, its configuration and its layers, and the names in its layers, which cannot
// lead out of it.
//
// Running a program on that root is not this package's business.
package image
