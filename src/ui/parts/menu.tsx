import { DropdownMenu } from 'radix-ui'
import type { ReactNode } from 'react'
import './menu.css'

/** Menus are drawn inside the page's own landmark, where screen readers look for what belongs to it. */
const PAGE_ID = 'page'

interface MenuProps {
  readonly trigger: ReactNode
  readonly label: string
  readonly children: ReactNode
}

/** A menu below its trigger. It does not lock the page: a menu is not worth a jump of the scrollbar. */
export function Menu({ trigger, label, children }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.getElementById(PAGE_ID)}>
        <DropdownMenu.Content className="menu" align="end" sideOffset={4} collisionPadding={8} aria-label={label}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

interface MenuItemProps {
  readonly onSelect: () => void
  readonly icon?: ReactNode
  readonly disabled?: boolean
  readonly children: ReactNode
}

export function MenuItem({ onSelect, icon, disabled = false, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item className="menu-item" onSelect={onSelect} disabled={disabled}>
      {icon}
      {children}
    </DropdownMenu.Item>
  )
}
