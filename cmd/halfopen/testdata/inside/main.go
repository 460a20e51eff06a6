// Command inside says how it was started and what it finds, and ends.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	here, _ := os.Getwd()
	groups, _ := os.Getgroups()
	fmt.Println(os.Args[1:], os.Getuid(), os.Getgid(), groups, here, os.Getenv("HOME"), os.Getenv("GREETING"), os.Getenv("PATH"))
	var names []string
	entries, _ := os.ReadDir("/")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	fmt.Println(strings.Join(names, " "))
	file := func(name string) string {
		content, err := os.ReadFile(name)
		if err != nil {
			return err.Error()
		}
		return strings.ReplaceAll(strings.TrimSpace(string(content)), "\n", "; ")
	}
	fmt.Println(file("/run/app/state"), file("/srv/replaced"), file("/srv/removed"), file("/etc/hosts"))
	os.Exit(3)
}
