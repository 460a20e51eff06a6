// Command show prints the contents of the files that its arguments name, and the names in
// the directory that is the last argument.
package main

import (
	"fmt"
	"os"
)

func main() {
	last := len(os.Args) - 1
	for _, name := range os.Args[1:last] {
		content, err := os.ReadFile(name)
		fmt.Print(string(content))
		if err != nil {
			fmt.Println(err)
		}
	}
	entries, err := os.ReadDir(os.Args[last])
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
	if err != nil {
		fmt.Println(err)
	}
}
