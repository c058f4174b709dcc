// What is shown in place of something that could not be drawn: never nothing.
import { Component, type ComponentChildren } from 'preact'

export class Boundary extends Component<{ children: ComponentChildren }, { reason: string | null }> {
  override state: { reason: string | null } = { reason: null }

  static override getDerivedStateFromError(error: unknown) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }

  override render() {
    if (this.state.reason === null) return this.props.children
    return (
      <p class="alert alert-error" role="alert">
        {this.state.reason}
      </p>
    )
  }
}
