// Package tagged has a test for a tag.
package tagged
