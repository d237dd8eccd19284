module kubernetes-local.test/prices

go 1.22
