-- kubernetes-local in Neovim with nvim-dap: copy this file to ~/.config/nvim/lua/kubernetes-local.lua, change the lines
-- marked "<- change", and add to your init.lua: require("kubernetes-local")
-- Then open a file of your program and run :DapContinue (or whatever key you have for it).
local dap = require("dap")

dap.adapters["kubernetes-local"] = function(callback, configuration)
  local delegate = configuration.delegate or {}
  callback({
    type = "executable",
    command = "kubernetes-local",
    -- The real debugger is named here already, so that Neovim gets its capabilities.
    args = delegate.type and { "dap", "--delegate", delegate.type } or { "dap" },
    -- The cluster is put back before the debugger says goodbye; nvim-dap would wait only 3 seconds for that.
    options = { disconnect_timeout_sec = 15 },
  })
end

local filetype = "python" -- <- change: the file type of your program

local configurations = {
  {
    type = "kubernetes-local",
    request = "launch",
    name = "cart in the cluster",
    target = "service/cart", -- <- change: what runs here instead of in the cluster; or "deployment/NAME", "pod/NAME" …
    -- namespace = "shop", -- default: the namespace of your kubeconfig's current context
    -- context = "dev", -- default: your kubeconfig's current context
    -- container = "cart", -- default: the one that the Service's ports lead to
    -- agentImage = "registry.example.com/team/agent:1", -- where your cluster pulls the agent from: docs/agent-image.md
    -- ports = { ["8080"] = 5000 }, -- if your program listens on another port here: container port → local port
    delegate = {
      type = "debugpy", -- <- change: your debugger, and below its own keys
      request = "launch",
      program = "${workspaceFolder}/main.py", -- <- change
      cwd = "${workspaceFolder}",
      console = "integratedTerminal",
    },
  },
}

dap.configurations[filetype] = dap.configurations[filetype] or {}
vim.list_extend(dap.configurations[filetype], configurations)
