// A dialog: labelled, keeps the focus inside, gives it back, and closes on Escape.
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

const focusable =
  'button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), a[href], [tabindex="0"]'

export function Dialog({
  title,
  small,
  close,
  children,
}: {
  title: string
  small?: boolean
  close(): void
  children: ComponentChildren
}) {
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    if (!box.current?.contains(document.activeElement)) box.current?.focus()
    return () => {
      // What was focused may be gone with a redraw: then the composer is the place to go on.
      const back = before?.isConnected ? before : document.querySelector<HTMLElement>('.composer input')
      back?.focus()
    }
  }, [])
  useEffect(() => {
    // A redraw may take away what had the focus: then the keyboard would be outside.
    if (document.activeElement === document.body) box.current?.focus()
  })
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation()
      close()
    }
    if (event.key !== 'Tab' || !box.current) return
    const inside = [...box.current.querySelectorAll<HTMLElement>(focusable)]
    const [first, last] = [inside[0], inside.at(-1)]
    if (event.shiftKey && (document.activeElement === first || document.activeElement === box.current)) {
      event.preventDefault()
      last?.focus()
    } else if (!event.shiftKey && document.activeElement === last) {
      event.preventDefault()
      first?.focus()
    }
  }
  return (
    <div class="backdrop">
      <div
        ref={box}
        class={small ? 'dialog small' : 'dialog'}
        role="dialog"
        aria-modal="true"
        aria-labelledby={id}
        tabIndex={-1}
        onKeyDown={onKeyDown}
      >
        <h2 id={id} class="dialog-title">
          {title}
        </h2>
        {children}
      </div>
    </div>
  )
}
