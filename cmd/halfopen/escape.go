package main

import "strings"

// unescaped is a text with the escapes that people write for bytes that a shell makes
// hard to type.
func unescaped(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\r`, "\r", `\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(text)
}
