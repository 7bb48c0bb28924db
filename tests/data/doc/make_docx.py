# SPDX-License-Identifier: Apache-2.0
import sys, docx, datetime
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
d=docx.Document()
d.core_properties.title='Widget Report'; d.core_properties.modified=datetime.datetime(2024,3,5,12,0,0)
d.add_paragraph('Widgets of 2023','Title')
d.add_heading('Results',1)
p=d.add_paragraph('Revenue rose by ');p.add_run('12.5 %').bold=True;p.add_run(' to 7 million euros.')
d.add_heading('Details by region',2)
d.add_paragraph('North grew most.','List Bullet'); d.add_paragraph('South shrank by 3 %.','List Bullet')
t=d.add_table(rows=3,cols=3)
for r,row in enumerate([('Region','2022','2023'),('North','10','14'),('South','9','8')]):
    for c,v in enumerate(row): t.cell(r,c).text=v
t2=d.add_table(rows=3,cols=2); t2.style='Light Grid'
for r,row in enumerate([('Name','Role'),('Ada','Engineer'),('Bob','Clerk')]):
    for c,v in enumerate(row): t2.cell(r,c).text=v
p=d.add_paragraph('First line'); p.runs[0].add_break(); p.add_run('second line\twith a tab')
p=d.add_paragraph('Kept. ')
de=OxmlElement('w:del'); r=OxmlElement('w:r'); tx=OxmlElement('w:delText'); tx.text='Deleted words. '; r.append(tx); de.append(r); p._p.append(de)
ins=OxmlElement('w:ins'); r=OxmlElement('w:r'); tx=OxmlElement('w:t'); tx.text='Inserted words.'; r.append(tx); ins.append(r); p._p.append(ins)
d.save(sys.argv[1])
