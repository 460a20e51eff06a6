//go:build installed

package explore

// Files is for the tests of other packages.
var Files = files
