// Command init is the program of process 1 of a virtual guest.
package main

import "github.com/halfopen-lab/halfopen/harness/virtual/guest"

func main() { guest.Main() }
