// Package broken does not compile with its tests.
package broken
