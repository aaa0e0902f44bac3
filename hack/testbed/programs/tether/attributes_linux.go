package main

import "syscall"

func attributes() *syscall.SysProcAttr {
	// The kernel kills the command when tether itself is killed.
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if *namespaces {
		a.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET
	}
	return a
}
