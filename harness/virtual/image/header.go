package image

import (
	"archive/tar"
	"strings"
)

// attribute begins the names of PAX records that are extended attributes.
const attribute = "SCHILY.xattr."

// plain returns what a file keeps of its header: its kind, permissions, owner, time of
// change and extended attributes. The names of owners are those of the machine that built
// the image. An overlay's own attributes would hide files in an overlay over the root
// (Documentation/filesystems/overlayfs.rst).
func plain(h *tar.Header) tar.Header {
	attributes := map[string]string{}
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, attribute)
		if ok && !strings.HasPrefix(name, "trusted.overlay.") && !strings.HasPrefix(name, "user.overlay.") {
			attributes[key] = value
		}
	}
	made := tar.Header{
		Typeflag: h.Typeflag, Linkname: h.Linkname, Mode: h.Mode & 0o7777, Uid: h.Uid, Gid: h.Gid,
		ModTime: h.ModTime, Devmajor: h.Devmajor, Devminor: h.Devminor, PAXRecords: attributes, Format: tar.FormatPAX,
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		made.Typeflag, made.Size = tar.TypeReg, h.Size
	}
	return made
}

// attributeBytes returns how many bytes the extended attributes in a header have.
func attributeBytes(h *tar.Header) (n int) {
	for key, value := range h.PAXRecords {
		n += len(key) + len(value)
	}
	return n
}
