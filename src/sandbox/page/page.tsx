// The sandbox's page: starts the store and draws the workspace.
import { render } from 'preact'
import { Workspace } from './workspace.tsx'

const root = document.getElementById('page')
if (root) render(<Workspace />, root)
