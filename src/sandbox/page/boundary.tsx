// What is shown in place of something that could not be drawn: never nothing.
import { Component, type ComponentChildren } from 'preact'

interface Props {
  children: ComponentChildren
  /** Another value than before: what failed to draw is tried again. What is drawn well stays, with its focus. */
  of: unknown
}

export class Boundary extends Component<Props, { reason: string | null }> {
  override state: { reason: string | null } = { reason: null }

  static override getDerivedStateFromError(error: unknown) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }

  override componentDidUpdate(before: Props) {
    if (this.state.reason !== null && before.of !== this.props.of) this.setState({ reason: null })
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
