// Package kernel builds the user-mode kernel of virtual guests and keeps it in a cache.
//
// The kernel is Debian's source built for the architecture um, with the configuration
// and the patches beside this file. The system's apt fetches the source, an ordinary user
// builds it, and nothing is installed. If an address is configured (environment.KernelURL),
// a released kernel is fetched instead.
//
// The package does not know what a guest does with the kernel.
package kernel
