module kubernetes-local.test/probe

go 1.22
