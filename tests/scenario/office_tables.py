"""Tables of regions in the styles of statistical offices of many countries, and their contents.

Regions and numbers are made up. Each table has the people by code, the answers that it needs, and
a part of each question that it must ask without them.
"""

import gzip
from typing import Any, NamedTuple


class Table(NamedTuple):
    text: str | bytes
    people: dict[str, float]
    asks: tuple[str, ...] = ()
    answers: dict[str, Any] = {}  # noqa: RUF012
    encoding: str = "utf-8"
    file: str = "table.csv"
    columns: dict[str, str] = {}  # noqa: RUF012


def rows(*lines: str) -> str:
    return "\n".join(lines) + "\n"


TABLES = {
    "Destatis GENESIS": Table(
        rows(
            "GENESIS-Tabelle: 12411-0015",
            "Bevölkerung: Kreise, Stichtag;;;",
            "Fortschreibung des Bevölkerungsstandes;;;",
            "Bevölkerung (Anzahl);;;",
            ";;31.12.2021;31.12.2022",
            "DG;Deutschland;9000;9300",
            "01001;  Förde, kreisfreie Stadt;1100;1200",
            "01002;  Kiel, kreisfreie Stadt;2100;2200",
            "01051;  Dithmar, Landkreis;3000;3100",
            "01053;  Altkreis (bis 1970);-;-",
            "__________",
            "(C)opyright Statistisches Bundesamt (Destatis), 2023",
            "Stand: 05.10.2023 / 11:22:33",
        ),
        {"01001": 1200, "01002": 2200, "01051": 3100},
        ("--drop-totals", "--missing leave-out"),
        {"drop_totals": True, "missing": "leave-out"}, "cp1252",
    ),
    "INSEE communes": Table(
        rows(
            "REG;Région;DEP;ARR;CAN;CODCOM;COM;PMUN;PCAP;PTOT",
            "84;Auvergne;01;2;08;001;L'Abergement;776;18;794",
            "84;Auvergne;01;1;01;002;Ambléon;248;2;250",
            "84;Auvergne;38;1;01;004;Ambérieu;14035;393;14428",
            "84;Auvergne;38;2;22;005;Sézanne;1689;34;1723",
        ),
        {"01001": 794, "01002": 250, "38004": 14428, "38005": 1723},
        answers={"columns": {"population": "PTOT"}}, encoding="latin-1",
    ),
    "INSEE dossier": Table(
        rows(
            "CODGEO;LIBGEO;P20_POP;P14_POP;SUPERF;P20_MEN",
            "01001;L'Abergement;806;767;15,95;327",
            "01002;Ambléon;262;241;9,15;118",
            "2A004;Ajaccio;71361;68587;82,03;33205",
        ),
        {"01001": 806, "01002": 262, "2A004": 71361},
        columns={"population": "P20_POP", "area_km2": "SUPERF"},
    ),
    "ISTAT long": Table(
        "ITTER107;Territorio;TIPO_DATO15;Tipo di indicatore demografico;SEXISTAT1;Sesso;TIME;"
        "Seleziona periodo;Value;Flag Codes;Flags\n"
        + "".join(
            f"{code};{name};JAN;popolazione al 1º gennaio;{k};{sex};2023;2023;{n};;\n"
            for code, name, whole in (("001001", "Agliè", 2600), ("001002", "Airasca", 3620),
                                      ("001003", "Ala di Stura", 450))
            for k, sex, n in ((1, "maschi", whole // 2 - 5), (2, "femmine", whole - whole // 2 + 5),
                              (9, "totale", whole))
        ),
        {"001001": 2600, "001002": 3620, "001003": 450},
        ('Sesso=totale',), {"rows": "Sesso=totale"},
    ),
    "INE Spain long": Table(
        "Municipios;Sexo;Periodo;Total\n"
        + "".join(
            f"{name};{sex};{year};{n}\n"
            for name, whole in (("44001 Ababuj", 76), ("44002 Abejuela", 51),
                                ("44003 Aguatón", 1117))
            for sex, n in (("Total", whole), ("Hombres", whole - 20), ("Mujeres", 20))
            for year in (2022, 2021)
        ),
        {"44001": 76, "44002": 51, "44003": 1117},
        ("Sexo=Total",), {"rows": "Sexo=Total"}, "iso8859-15",
    ),
    "INE Portugal": Table(
        rows(
            "Quadro extraído em 5 de Maio de 2023;;;",
            "População residente (N.º) por Local de residência; Anual - INE;;",
            "Período de referência;Local de residência (NUTS - 2013);;População residente",
            ";;;N.º",
            "2021;Alto Tejo;1831;12 345",
            ";Évora;0705;53 577",
            ";Óbidos;1012;11 920",
            ";Águeda;0101;46 131",
            "População residente (N.º) por Local de residência - INE, Estimativas",
        ),
        {"1831": 12345, "0705": 53577, "1012": 11920, "0101": 46131}, encoding="cp1252",
    ),
    "CBS StatLine": Table(
        rows(
            '"Regionale kerncijfers Nederland"',
            '"Regio\'s";"Bevolking|Totale bevolking";"Bevolking|Mannen";"Oppervlakte"',
            '"Regio\'s";"aantal";"aantal";"km²"',
            '"Aa en Hunze";"25445";"12800";"278,84"',
            '"Aalsmeer";"31991";"16000";"32,32"',
            '"Súdwest";"90125";"45010";"."',
            '"Bron: CBS"',
        ),
        {"Aa en Hunze": 25445, "Aalsmeer": 31991, "Súdwest": 90125},
    ),
    "CBS typed": Table(
        rows(
            '"ID";"RegioS";"Perioden";"TotaleBevolking_1";"Bevolkingsdichtheid_57"',
            '0;"GM1680  ";"2023JJ00";"   25445";"      92"',
            '1;"GM0358  ";"2023JJ00";"   31991";"    1594"',
            '2;"GM0197  ";"2023JJ00";"   27121";"     281"',
        ),
        {"GM1680": 25445, "GM0358": 31991, "GM0197": 27121},
    ),
    "GUS BDL": Table(
        rows(
            "Kod;Nazwa;ogółem;ogółem;mężczyźni;mężczyźni",
            ";;2021;2022;2021;2022",
            ";;[osoba];[osoba];[osoba];[osoba]",
            "0000000;POLSKA;60000;59000;29000;28500",
            "0201011;Bolesławiec (1);39000;38000;18500;18000",
            "0201022;Żary (2);21000;21000;10500;10500",
        ),
        {"0201011": 38000, "0201022": 21000},
        ("--drop-totals",), {"drop_totals": True}, "cp1250",
    ),
    "PSA Philippines": Table(
        rows(
            '"Table 1. Total Population by Province, City, and Municipality: 2015 and 2020",,',
            ",,",
            '"Region, Province, and City/Municipality",2015,2020',
            ",,",
            'PHILIPPINES,"9,000","10,000"',
            ",,",
            'REGION I - ILOCOS,"5,400","6,000"',
            'ILOCOS NORTE,"3,400","3,500"',
            'ADAMS,900,"1,000"',
            'CITY OF BATAC (Capital),"2,500","2,500"',
            'ILOCOS SUR,"2,000","2,500"',
            'ALILEM*,"1,000","1,300"',
            'PEÑAFLOR,"1,000","1,200"',
            ",,",
            'REGION II,"3,600","4,000"',
            'BATANES,"3,600","4,000"',
            'BASCO,"1,600","1,700"',
            'ITBAYAT,"2,000","2,300"',
            "Note: * newly created,,",
            "Source: Philippine Statistics Authority,,",
        ),
        {"ADAMS": 1000, "CITY OF BATAC (Capital)": 2500, "ALILEM": 1300, "PEÑAFLOR": 1200,
         "BASCO": 1700, "ITBAYAT": 2300},
        ("--drop-totals",), {"drop_totals": True}, "cp1252",
    ),
    "L+P": Table(
        "Kab/Kota;L;P;L+P\nA;100;110;210\nB;200;225;425\nC;51;60;111\n",
        {"A": 210, "B": 425, "C": 111},
    ),
    "PSGC": Table(
        rows(
            '10-digit PSGC,Name,Geographic Level,"Income\nClassification",2020 Population,Status',
            "7284226671,Losisi,Mun,1st,198677,", "1118321417,Tolira,Mun,1st,125422,",
            "9321359594,Losisi,Mun,3rd,33148,",
        ),
        {"7284226671": 198677, "1118321417": 125422, "9321359594": 33148},
        columns={"population": "2020 Population"},
    ),
    "BPS web": Table(
        rows(
            "Kabupaten/Kota,Jumlah Penduduk Menurut Jenis Kelamin (Jiwa),,",
            ",Laki-laki,Perempuan,Jumlah",
            ",2023,2023,2023",
            "Kab. Kulon,50 000,51 000,101 000",
            "Kab. Wetan,70 000,71 500,141 500",
            "Kota Tengah,30 000,29 500,59 500",
            "PROVINSI UJI,150 000,152 000,302 000",
            "Keterangan: hasil proyeksi,,,",
        ),
        {"Kab. Kulon": 101000, "Kab. Wetan": 141500, "Kota Tengah": 59500},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "BPS thousands": Table(
        rows(
            "Provinsi,Jumlah Penduduk Pertengahan Tahun (Ribu Jiwa),,",
            ",2021,2022,2023",
            'ACEH,"5.333,7","5.407,9","5.482,5"',
            'SUMATERA UTARA,"14.936,1","15.115,2","15.386,6"',
            'PAPUA TENGAH,-,-,"1.431,0"',
            'INDONESIA,"20.269,8","20.523,1","22.300,1"',
        ),
        {"ACEH": 5482500, "SUMATERA UTARA": 15386600, "PAPUA TENGAH": 1431000},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "US Census counties": Table(
        "SUMLEV,REGION,DIVISION,STATE,COUNTY,STNAME,CTYNAME,CENSUS2010POP,ESTIMATESBASE2010,"
        "POPESTIMATE2018,POPESTIMATE2019,NPOPCHG_2019,BIRTHS2019,RBIRTH2019\n"
        + rows(
            "040,3,6,01,000,Alabama,Alabama,590,595,600,610,10,8,1.2",
            "050,3,6,01,001,Alabama,Autauga County,190,195,200,205,5,3,1.2",
            "050,3,6,01,003,Alabama,Baldwin County,400,400,400,405,5,5,1.3",
            "040,4,8,35,000,New Mexico,New Mexico,300,300,300,301,1,4,1.1",
            "050,4,8,35,001,New Mexico,Doña Ana County,200,200,200,201,1,2,1.1",
            "050,4,8,35,003,New Mexico,Catron County,100,100,100,100,0,2,1.1",
        ),
        {"01001": 205, "01003": 405, "35001": 201, "35003": 100},
        ("SUMLEV=050",), {"rows": "SUMLEV=050"}, "latin-1",
        columns={"population": "POPESTIMATE2019", "name": "CTYNAME", "tier": "STNAME"},
    ),
    "ONS mid-year": Table(
        rows(
            "MYE2 - Persons,,,,,,",
            "This table contains population estimates for mid-2022,,,,,,",
            ",,,,,,",
            "Code,Name,Geography,All ages,0,1,2",
            'K02000001,UNITED KINGDOM,Country,"11,000",900,910,920',
            'E92000001,ENGLAND,Country,"7,500",600,610,620',
            'E12000001,NORTH EAST,Region,"7,500",600,610,620',
            'E06000047,County Durham,Unitary Authority,"3,000",200,210,220',
            'E06000005,Darlington,Unitary Authority,"2,500",200,200,200',
            'E06000001,Hartlepool,Unitary Authority,"2,000",200,200,200',
            'W92000004,WALES,Country,"3,500",300,300,300',
            'W06000001,Isle of Anglesey,Unitary Authority,"1,500",150,150,150',
            'W06000002,Gwynedd,Unitary Authority,"2,000",150,150,150',
        ),
        {"E06000047": 3000, "E06000005": 2500, "E06000001": 2000, "W06000001": 1500,
         "W06000002": 2000},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "Statistics Canada": Table(
        '"REF_DATE","GEO","DGUID","Gender","Age group","UOM","UOM_ID","SCALAR_FACTOR","SCALAR_ID",'
        '"VECTOR","COORDINATE","VALUE","STATUS","SYMBOL","TERMINATED","DECIMALS"\n'
        + "".join(
            f'"{year}","{geo}","{code}","{sex}","All ages","Persons","249","units","0",'
            f'"v{year}{n}","1.1.{n}","{n * (year - 2020)}","","","","0"\n'
            for year in (2021, 2022)
            for geo, code, whole in (("Canada", "2021A000011124", 3000),
                                     ("Division No. 1, Québec", "2021A00031001", 1000),
                                     ("Division No. 2", "2021A00031002", 2000))
            for sex, n in (("Total - gender", whole), ("Men+", whole // 2), ("Women+", whole // 2))
        ),
        {"2021A00031001": 2000, "2021A00031002": 4000},
        ("Gender=Total - gender", "--drop-totals"),
        {"rows": "Gender=Total - gender", "drop_totals": True},
    ),
    "IBGE SIDRA": Table(
        rows(
            '"Tabela 6579 - População residente estimada"',
            '"Variável - População residente estimada (Pessoas)"',
            '"Cód.";"Município";"Ano"',
            '"";"";"2020";"2021"',
            '"1100015";"Alta Floresta D\'Oeste (RO)";"22728";"22516"',
            '"1100023";"Ariquemes (RO)";"109523";"111148"',
            '"1100031";"Cabixi (RO)";"5188";"5067"',
            '"Fonte: IBGE - Estimativas de População"',
        ),
        {"1100015": 22516, "1100023": 111148, "1100031": 5067},
    ),
    "IBGE estimates": Table(
        rows(
            "ESTIMATIVAS DA POPULAÇÃO RESIDENTE NOS MUNICÍPIOS BRASILEIROS EM 1º DE JULHO,,,,",
            "UF,COD. UF,COD. MUNIC,NOME DO MUNICÍPIO,POPULAÇÃO ESTIMADA",
            "RO,11,00015,Alta Floresta D'Oeste,22.516",
            "RO,11,00205,Porto Velho,548.952 (1)",
            "PA,15,00205,Água Azul,27.615(2)",
            "PA,15,00107,Abaetetuba,160.439",
            "Fonte: IBGE. Diretoria de Pesquisas - DPE,,,,",
            "Notas:,,,,",
            "(1) População judicial do município de Porto Velho-RO: 19.534 habitantes,,,,",
        ),
        {"1100015": 22516, "1100205": 548952, "1500205": 27615, "1500107": 160439},
    ),
    "INEGI": Table(
        rows(
            "ENTIDAD,NOM_ENT,MUN,NOM_MUN,LOC,NOM_LOC,POBTOT,POBFEM,POBMAS,P_0A2",
            "01,Aguascalientes,000,Total de la entidad,0000,Total de la Entidad,1500,760,740,70",
            "01,Aguascalientes,001,Aguascalientes,0000,Total del Municipio,900,460,440,40",
            "01,Aguascalientes,001,Aguascalientes,0001,Aguascalientes,800,410,390,35",
            "01,Aguascalientes,001,Aguascalientes,0094,Granja Adelita,100,50,50,*",
            "01,Aguascalientes,002,Asientos,0000,Total del Municipio,600,300,300,30",
            "01,Aguascalientes,002,Asientos,0001,Asientos,460,240,220,20",
            "01,Aguascalientes,002,Asientos,0015,Amarillas de Esparza,140,60,80,10",
            "02,Baja California,000,Total de la entidad,0000,Total de la Entidad,300,150,150,10",
            "02,Baja California,001,Ensenada,0000,Total del Municipio,300,150,150,10",
            "02,Baja California,001,Ensenada,0001,Ensenada,200,100,100,10",
            "02,Baja California,001,Ensenada,0094,El Sauzal,100,50,50,10",
        ),
        {"010010001": 800, "010010094": 100, "010020001": 460, "010020015": 140,
         "020010001": 200, "020010094": 100},
        ("--drop-totals",), {"drop_totals": True}, columns={"tier": "NOM_ENT"},
    ),
    "Eurostat": Table(
        rows(
            "freq,unit,sex,age,geo\\TIME_PERIOD\t2021 \t2022 \t2023 ",
            "A,NR,T,TOTAL,AT111\t37534 \t37602 b\t37698 ",
            "A,NR,T,TOTAL,AT112\t155000 \t156000 \t158000 p",
            "A,NR,T,TOTAL,AT113\t97000 \t97100 \t97450 ",
            "A,NR,T,TOTAL,AT121\t246000 \t247000 \t: ",
        ),
        {"AT111": 37698, "AT112": 158000, "AT113": 97450},
        ('--column population="2023"',),
        {"missing": "leave-out", "columns": {"population": "2023"}}, file="demo_r_pjanaggr3.tsv",
    ),
    "Census of India": Table(
        '"State Code","District Code","Sub District Code","India/ State/ Union Territory/ '
        'District/ Sub-district","Name","Total/ Rural/ Urban","Number of villages Inhabited",'
        '"Number of households",Population,,,"Area (In sq. km)","Population per sq. km."\n'
        ",,,,,,,,Persons,Males,Females,,\n"
        + "".join(
            f'{state},{district},{sub},{level},{name},{part},12,"{n // 5}","{n}",{n // 2},'
            f"{n - n // 2},10.5,99\n"
            for state, district, sub, level, name, whole in (
                ("00", "000", "00000", "INDIA", "INDIA", 9000),
                ("01", "000", "00000", "STATE", "ALPHA", 9000),
                ("01", "001", "00000", "DISTRICT", "Kupwara", 4000),
                ("01", "001", "00001", "SUB-DISTRICT", "Kupwara", 1500),
                ("01", "001", "00002", "SUB-DISTRICT", "Handwara", 2500),
                ("01", "002", "00000", "DISTRICT", "Badgam", 5000),
                ("01", "002", "00003", "SUB-DISTRICT", "Khag", 2000),
                ("01", "002", "00004", "SUB-DISTRICT", "Beerwah", 3000),
            )
            for part, n in (("Total", whole), ("Rural", whole * 3 // 4), ("Urban", whole // 4))
        ),
        {"01001": 4000, "01002": 5000},
        ("SUB-DISTRICT",),
        {"rows": "India/ State/ Union Territory/ District/ Sub-district=DISTRICT,"
                 "Total/ Rural/ Urban=Total"},
    ),
    "e-Stat Japan": Table(
        rows(
            "令和２年国勢調査,,,,",
            "都道府県,市区町村,市区町村コード,総人口（人）,男",
            "北海道,札幌市,０１１００,１９７３３９５,918000",
            ",函館市,０１２０２,251084,113000",
            "青森県,青森市,０２２０１,２７５，１９２,128000",
            ",弘前市,０２２０２,168466,77000",
        ),
        {"01100": 1973395, "01202": 251084, "02201": 275192, "02202": 168466},
        encoding="cp932",
    ),
}  # fmt: skip
OTHERS = {
    "half of the cells missing": Table(
        "region_id,region,pop\nR1,Alpha,12000\nR2,Beta,n/a\nR3,Gamma,15500\nR4,Delta,..\n",
        {"R1": 12000, "R3": 15500}, ("--missing leave-out",), {"missing": "leave-out"},
    ),
    "a code twice": Table(
        "code,name,population\nA1,Upper,5000\nA1,Upper,5000\nA2,Lower,7000\n",
        {"A1": 5000, "A2": 7000}, ("share their code in 'code'",), {"duplicates": "first"},
    ),
    "a total labelled in another column": Table(
        rows(
            "Kode,Kecamatan,Penduduk",
            "010,Utara,1.250", "020,Selatan,2.300", "030,Barat,3.100", "Jumlah,,6.650",
        ),
        {"010": 1250, "020": 2300, "030": 3100}, ("'Jumlah'",), {"drop_totals": True},
    ),
    "years in columns of sexes": Table(
        rows(
            "Kreis;2021;;;2022;;",
            ";männlich;weiblich;insgesamt;männlich;weiblich;insgesamt",
            "Bevölkerung am 31.12.;;;;;;",
            "Ansbach;20100;21100;41200;20200;21300;41500",
            "Bayreuth;35900;37100;73000;36000;37900;73900",
            "Coburg;20000;20900;40900;20100;21000;41100",
        ),
        {"Ansbach": 41500, "Bayreuth": 73900, "Coburg": 41100},
        answers={"columns": {"population": "2022 insgesamt"}},
    ),
    "ages and a total": Table(
        rows(
            "Gemeinde,Einwohner insgesamt,0-4,5-14,15-64,65+,Anteil 65+ %",
            "Aalen,67849,3100,6200,43000,15549,22.9",
            "Abtsgmünd,7480,350,800,4800,1530,20.5",
            "Adelberg,2055,80,190,1300,485,23.6",
        ),
        {"Aalen": 67849, "Abtsgmünd": 7480, "Adelberg": 2055},
    ),
    "ages without a total": Table(
        rows(
            "Municipality;0-14;15-64;65+",
            "A-ville;100;600;150", "B-ville;80;500;120", "C-ville;60;400;90",
        ),
        {"A-ville": 850, "B-ville": 700, "C-ville": 550},
        ("--column population=",), {"columns": {"population": "0-14 + 15-64 + 65+"}},
    ),
    "units in brackets": Table(
        rows(
            "Region;Population [thousand];Area [ha]",
            "North;12,5;120000", "South;30,2;98000", "East;8,9;45500",
        ),
        {"North": 12500, "South": 30200, "East": 8900},
    ),
    "marks of footnotes": Table(
        rows(
            "Code\tCommune\tPopulation",
            "01\tAlpha\t1,234(1)", "02\tBeta\t12,345*", "03\tGamma\t2,222 r",
            "04\tDelta\t3,456 [note 1]", "05\tEta\t4,321¹⁾", "06\tTheta\t5,000 (e)",
        ),
        {"01": 1234, "02": 12345, "03": 2222, "04": 3456, "05": 4321, "06": 5000},
    ),
    "negative and zero": Table(
        rows("code,name,population", "1,Alpha,1200", "2,Beta,0", "3,Gamma,-5", "4,Delta,900"),
        {"1": 1200, "4": 900}, ("--missing leave-out",), {"missing": "leave-out"},
    ),
    "thin blanks": Table(
        rows(
            "Commune;Population", "Alpha;1\u202f234", "Beta;12\u00a0345",
            "Gamma;1\u2009234\u2009567",
        ),
        {"Alpha": 1234, "Beta": 12345, "Gamma": 1234567},
    ),
    "decimal people": Table(
        rows("code,name,population_2023", "a,Alpha,12034.5", "b,Beta,99871.25", "c,Gamma,50000.75"),
        {"a": 12034.5, "b": 99871.25, "c": 50000.75},
    ),
    "percent beside": Table(
        rows(
            "No.,Province,Total,%,Density (per sq km)",
            '1,Alpha,"1,200,000",40.0,120', '2,Beta,"1,500,000",50.0,300',
            '3,Gamma,"300,000",10.0,80', ',Total,"3,000,000",100.0,140',
        ),
        {"Alpha": 1200000, "Beta": 1500000, "Gamma": 300000},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "pages": Table(
        rows(
            "Daftar Penduduk per Kecamatan,,",
            "No,Kecamatan,Jumlah Penduduk", "1,Satu,1.100", "2,Dua,2.400", ",,",
            "Halaman 2,,",
            "No,Kecamatan,Jumlah Penduduk", "3,Tiga,3.700", "4,Empat,4.250", ",,",
            "Sumber: Dinas,,",
        ),
        {"Satu": 1100, "Dua": 2400, "Tiga": 3700, "Empat": 4250},
    ),
    "totals of groups": Table(
        rows(
            "Province;Municipality;Population",
            "North;Alpha;1010", "North;Beta;2020", "North;Gamma;3033", "North;Subtotal;6063",
            "South;Delta;4100", "South;Epsilon;5250", "South;Zeta;1340", "South;Subtotal;10690",
            ";Grand total;16753",
        ),
        {"Alpha": 1010, "Beta": 2020, "Gamma": 3033, "Delta": 4100, "Epsilon": 5250, "Zeta": 1340},
        ("--drop-totals",), {"drop_totals": True}, columns={"tier": "Province"},
    ),
    "blank merged cells": Table(
        rows(
            "Provinsi,Kabupaten/Kota,Jumlah Penduduk",
            "Utara,Kab. A,120000", ",Kab. B,230500", "Selatan,Kab. C,340100", ",Kota D,99000",
        ),
        {"Kab. A": 120000, "Kab. B": 230500, "Kab. C": 340100, "Kota D": 99000},
        columns={"tier": "Provinsi"},
    ),
    "a total of each group in its own column": Table(
        rows(
            "County,Town,Population,County population",
            "A,A1,1000,3000", "A,A2,2000,3000", "B,B1,1500,4000", "B,B2,2500,4000",
        ),
        {"A1": 1000, "A2": 2000, "B1": 1500, "B2": 2500},
        answers={"columns": {"population": "Population"}},
    ),
    "HTML saved as .xls": Table(
        '<html><head><meta charset="utf-8"><style>td {color: red}</style></head><body>'
        "<table><tr><td colspan=3>Padrón municipal 2022</td></tr></table><table>"
        "<tr><th>Código</th><th>Municipio</th><th colspan=2>Población</th></tr>"
        "<tr><th></th><th></th><th>2021</th><th>2022</th></tr>"
        "<tr><td>01001</td><td>Alegría-Dulantzi</td><td>2.925</td><td>2.930</td></tr>"
        "<tr><td>01002</td><td>Amurrio &amp; Arceniega</td><td>10.307</td><td>10.313</td></tr>"
        "<tr><td>01003</td><td>Aramaio<br></td><td>1.404</td><td>1.399</td></tr></table>"
        "</body></html>",
        {"01001": 2930, "01002": 10313, "01003": 1399}, file="padron.xls",
    ),
    "XML Spreadsheet 2003": Table(
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Data"><Table>'
        + "".join(
            f'<Row><Cell><Data ss:Type="String">{code}</Data></Cell>'
            f'<Cell ss:Index="3"><Data ss:Type="String">{name}</Data></Cell>'
            f'<Cell><Data ss:Type="{kind}">{number}</Data></Cell></Row>'
            for code, name, kind, number in (
                ("Kode", "Nama", "String", "Penduduk"), ("01", "Alpha", "Number", 1200),
                ("02", "Beta", "Number", 2300), ("03", "Gamma", "Number", 3100.0),
            )
        )
        + "</Table></Worksheet></Workbook>",
        {"01": 1200, "02": 2300, "03": 3100}, file="data.xls",
    ),
    "gzip": Table(
        gzip.compress(b"code,name,population\n01,A,1200\n02,B,2300\n03,C,3100\n"),
        {"01": 1200, "02": 2300, "03": 3100}, file="data.csv.gz",
    ),
    "latitude and longitude in one cell": Table(
        rows(
            "name,population,coordinates",
            'Alpha,1200,"-7.80, 110.36"', 'Beta,2300,"-7.95, 110.50"', 'Gamma,3100,"-8.10, 110.61"',
        ),
        {"Alpha": 1200, "Beta": 2300, "Gamma": 3100},
        columns={"latitude": "coordinates latitude", "longitude": "coordinates longitude"},
    ),
    "geometries as text": Table(
        rows(
            "WKT;code;name;population",
            '"POLYGON ((110 -8, 111 -8, 111 -7, 110 -7, 110 -8))";01;Alpha;1200',
            '"POLYGON ((111 -8, 112 -8, 112 -7, 111 -7, 111 -8))";02;Beta;2300',
            '"MULTIPOLYGON (((112 -8, 113 -8, 113 -7, 112 -7, 112 -8)))";03;Gamma;3100',
        ),
        {"01": 1200, "02": 2300, "03": 3100},
    ),
    "points as text": Table(
        rows(
            "code,name,population,geom",
            "01,Alpha,1200,POINT (110.36 -7.80)", "02,Beta,2300,POINT(110.50 -7.95)",
            "03,Gamma,3100,SRID=4326;POINT(110.61 -8.10)",
        ),
        {"01": 1200, "02": 2300, "03": 3100},
    ),
    "degrees and minutes": Table(
        rows(
            "code,name,population,Latitude,Longitude",
            "01,Alpha,1200,S 7°48'12\",E 110°22'", "02,Beta,2300,S 7°52'30\",E 110°20'",
            "03,Gamma,3100,S 7°40'00\",E 110°10'",
        ),
        {"01": 1200, "02": 2300, "03": 3100}, columns={"latitude": "Latitude"},
    ),
    "TopoJSON": Table(
        '{"type":"Topology","transform":{"scale":[0.5,0.5],"translate":[110,-8]},"objects":{'
        '"a":{"type":"GeometryCollection","geometries":['
        '{"type":"Polygon","arcs":[[0,1]],"properties":{"kode":"01","nama":"A","penduduk":1200}},'
        '{"type":"Polygon","arcs":[[2,-1]],"properties":{"kode":"02","nama":"B","penduduk":2300}}'
        ']}},"arcs":[[[2,0],[0,2]],[[2,2],[-2,0],[0,-2],[2,0]],[[2,0],[2,0],[0,2],[-2,0]]]}',
        {"01": 1200, "02": 2300}, file="map.json",
    ),
    "Markdown": Table(
        rows(
            "| Code | Town | Population |", "|------|:-----|-----------:|",
            "| 01 | Alpha | 1,200 |", "| 02 | Beta | 2,300 |", "| 03 | Gamma | 13,100 |",
        ),
        {"01": 1200, "02": 2300, "03": 13100}, file="table.md",
    ),
    "a BOM in UTF-16": Table(
        rows("Kod\tNazwa\tLudność", "01\tŁódź\t1 200", "02\tŻary\t2 300", "03\tKoło\t3 100"),
        {"01": 1200, "02": 2300, "03": 3100}, encoding="utf-16",
    ),
    "UTF-16 without a mark": Table(
        rows("Код\tНазвание\tНаселение", "01\tТверь\t1200", "02\tПсков\t2300", "03\tОрёл\t3100"),
        {"01": 1200, "02": 2300, "03": 3100}, encoding="utf-16-le",
    ),
    "Turkish": Table(
        rows("İl;İlçe;Nüfus", "Muğla;Bodrum;198.335", "Muğla;Datça;26.030", "İzmir;Çeşme;48.924",
             "Toplam;;273.289"),
        {"Bodrum": 198335, "Datça": 26030, "Çeşme": 48924}, ("--drop-totals",),
        {"drop_totals": True}, "cp1254",
    ),
    "Swiss PX": Table(
        rows(
            '"Kanton (-) / Bezirk (>>) / Gemeinde (......)";"Bevölkerungstyp";"2021";"2022"',
            '"Schweiz";"Ständige Wohnbevölkerung";9000;9100',
            '"- Zürich";"Ständige Wohnbevölkerung";9000;9100',
            '">> Bezirk Affoltern";"Ständige Wohnbevölkerung";4000;4050',
            '"......0001 Aeugst am Albis";"Ständige Wohnbevölkerung";1500;1520',
            '"......0002 Affoltern";"Ständige Wohnbevölkerung";2500;2530',
            '">> Bezirk Andelfingen";"Ständige Wohnbevölkerung";5000;5050',
            '"......0021 Adlikon";"Ständige Wohnbevölkerung";2700;2710',
            '"......0022 Benken";"Ständige Wohnbevölkerung";2300;2340',
        ),
        {"0001 Aeugst am Albis": 1520, "0002 Affoltern": 2530,
         "0021 Adlikon": 2710, "0022 Benken": 2340},
        ("--drop-totals",), {"drop_totals": True},
    ),
    "World Bank": Table(
        rows(
            '"Data Source","World Development Indicators",', "",
            '"Last Updated Date","2023-05-10",', "",
            '"Country Name","Country Code","Indicator Name","Indicator Code","2020","2021","2022",',
            '"Aruba","ABW","Population, total","SP.POP.TOTL","106585","106537","106445",',
            '"Andorra","AND","Population, total","SP.POP.TOTL","77700","79034","79824",',
            '"Albania","ALB","Population, total","SP.POP.TOTL","2837849","2811666","2777689",',
        ),
        {"ABW": 106445, "AND": 79824, "ALB": 2777689},
    ),
    "UN": Table(
        "Country or Area,Year,Area,Sex,City,City type,Record Type,Reliability,Source Year,Value,"
        "Value Footnotes\n"
        + "".join(
            f"Fiji,2017,Total,{sex},{city},City proper,Census - de facto - complete tabulation,"
            f"Final figure,2018,{n},\n"
            for city, whole in (("SUVA", 93870), ("NADI", 71048), ("LAUTOKA", 71573))
            for sex, n in (("Both Sexes", whole), ("Male", whole - 46000), ("Female", 46000))
        ),
        {"SUVA": 93870, "NADI": 71048, "LAUTOKA": 71573},
        ("--column population=\"Value\"",),
        {"columns": {"population": "Value"}, "rows": "Sex=Both Sexes"},
    ),
}  # fmt: skip
TABLES |= OTHERS
UNITS = {
    "ten thousands in Chinese": Table(
        rows("地区,年末常住人口(万人)", "北京市,2184.3", "上海市,2475.9", "天津市,1363.0"),
        {"北京市": 21843000, "上海市": 24759000, "天津市": 13630000}, encoding="gb18030",
    ),
    "lakhs": Table(
        rows("State,Population (in lakhs)", "Alpha,12.5", "Beta,104.25", "Gamma,33.1"),
        {"Alpha": 1250000, "Beta": 10425000, "Gamma": 3310000},
    ),
    "thousands of persons in Russian": Table(
        rows("Регион;Население, тыс. чел.", "Тверь;1230,2", "Псков;599,1", "Орёл;692,5"),
        {"Тверь": 1230200, "Псков": 599100, "Орёл": 692500}, encoding="cp1251",
    ),
    "thousands that may be decimals": Table(
        rows("Population in thousands;", "Region;2022", "A;1.234", "B;22.345", "C;3.456"),
        {"A": 1234, "B": 22345, "C": 3456}, ("--decimal",), {"decimal": "point"},
    ),
    "parts of rows": Table(
        rows(
            "Gemeinde;Einwohner", "Alpha;1200", "darunter Ausländer;150", "Beta;2300",
            "darunter Ausländer;310", "Gamma;900", "darunter Ausländer;44",
        ),
        {"Alpha": 1200, "Beta": 2300, "Gamma": 900}, ("--drop-totals",), {"drop_totals": True},
    ),
    "a column of foreigners": Table(
        rows(
            "Gemeinde;Ausländische Bevölkerung;Bevölkerung", "Alpha;120;1200", "Beta;230;2300",
            "Gamma;90;900",
        ),
        {"Alpha": 1200, "Beta": 2300, "Gamma": 900},
    ),
    "quarters": Table(
        "Town,Period,Population\n" + "".join(
            f"{town},{period},{n + k}\n" for town, n in (("A", 100), ("B", 200), ("C", 350))
            for k, period in enumerate(("2022-Q4", "2023-Q1", "2023-Q2"))
        ),
        {"A": 102, "B": 202, "C": 352},
    ),
    "CBS long": Table(
        "RegioS;Perioden;Bevolking\n" + "".join(
            f"{town};{year}JJ00;{n + year}\n" for town, n in (("GM01", 100), ("GM02", 200),
                                                             ("GM03", 350))
            for year in (2022, 2023)
        ),
        {"GM01": 2123, "GM02": 2223, "GM03": 2373},
    ),
    "Destatis flat": Table(
        "Statistik_Code;Statistik_Label;Zeit_Code;Zeit_Label;Zeit;1_Merkmal_Code;1_Merkmal_Label;"
        "1_Auspraegung_Code;1_Auspraegung_Label;BEVSTD__Bevoelkerungsstand__Anzahl\n" + "".join(
            f"12411;Bestand;STAG;Stichtag;31.12.{year};KREISE;Kreise;{code};{name};{n + year}\n"
            for code, name, n in (("01001", "Förde", 100), ("01002", "Kiel", 700),
                                  ("01003", "Ulm", 5))
            for year in (2021, 2022)
        ),
        {"01001": 2122, "01002": 2722, "01003": 2027}, encoding="cp1252",
    ),
    "KOSIS Korea": Table(
        rows(
            "행정구역(시군구)별,2023.12,2023.12,2023.12",
            ",총인구수 (명),남자인구수 (명),여자인구수 (명)",
            "종로구,139417,67197,72220", "중구,121312,59186,62126", "용산구,213151,102000,111151",
        ),
        {"종로구": 139417, "중구": 121312, "용산구": 213151}, encoding="cp949",
    ),
    "sexes in rows": Table(
        rows(
            "Folkmängd efter region, kön och år", "", "region;kön;2021;2022",
            "0114 Väsby;män;24000;24100", "0114 Väsby;kvinnor;23000;23100",
            "0115 Vallentuna;män;17000;17200", "0115 Vallentuna;kvinnor;16500;16900",
        ),
        {"0114": 47200, "0115": 34100}, ("--duplicates sum",), {"duplicates": "sum"}, "cp1252",
    ),
    "Australia": Table(
        rows(
            ",,,Estimated resident population,,",
            "SA2 code,SA2 name,Area,2021,2022,Change 2021-2022",
            "101021007,Braidwood,3418,4330,4390,1.4", "101021008,Karabar,7,8548,8600,0.6",
            "101021009,Queanbeyan,5,11375,11500,1.1",
        ),
        {"101021007": 4390, "101021008": 8600, "101021009": 11500},
    ),
    "urban and rural columns": Table(
        rows(
            "District,Urban population,Rural population,Population 15 and over", "A,10,90,70",
            "B,20,85,65", "C,30,190,120",
        ),
        {"A": 100, "B": 105, "C": 220}, ("--column population=",),
        {"columns": {"population": "Urban population + Rural population"}},
    ),
    "two tables below each other": Table(
        rows(
            "Region,Population", "A,1000", "B,2200", "C,3300", "",
            "Region,Area", "A,10", "B,22", "C,31",
        ),
        {"A": 1000, "B": 2200, "C": 3300}, ("share their code", "'Area'"),
        {"duplicates": "first", "missing": "leave-out"},
    ),
    "numbers with signs": Table(
        rows("name,population", "A,~1200", "B,2300", "C,<5", "D,4100", "E,3900"),
        {"B": 2300, "D": 4100, "E": 3900}, ("--missing leave-out",), {"missing": "leave-out"},
    ),
    "one decimal among thousands": Table(
        rows("name;population", "A;1.200", "B;2.300", "C;12.5", "D;4.100", "E;3.900"),
        {"A": 1200, "B": 2300, "D": 4100, "E": 3900}, ("--missing leave-out",),
        {"missing": "leave-out"},
    ),
    "codes that lost their zeros": Table(
        rows("GEOID,NAME,POP", "1001,Autauga,200", "1003,Baldwin,410", "10001,Kent,300"),
        {"1001": 200, "1003": 410, "10001": 300},
    ),
}  # fmt: skip
TABLES |= UNITS

LETTERS = [
    (
        "cp1250 iso8859_2 cp852",
        "Kod\tNazwa\tLudność ogółem\tgęstość\n0201011\tBolesławiec\t38 012\t1609\n",
    ),
    ("cp1250 iso8859_2", "teryt;gmina;razem\n1;Bolesławiec;38\n2;Żary;33\n3;Łódź;33\n"),
    (
        "cp1250 iso8859_2 cp852",
        "kód;název;počet obyvatel\n1;Praha;120\n2;Ústí;20\n3;České Budějovice;9\n",
    ),
    (
        "cp1250 iso8859_2 cp852",
        "név;lakónépesség\nGyőr;120\nPécs;20\nHódmezővásárhely;9\nSzékesfehérvár;8\n",
    ),
    (
        "cp1252 mac_roman cp850 iso8859_15",
        "AGS;Gemeinde;Bevölkerung\n1;Köln;3\n2;Gießen;4\n3;Überlingen;4\n",
    ),
    ("cp1252 mac_roman", "AGS;Gemeinde;Einwohner\n1;Koeln;3\n2;Gießen;4\n3;Ulm;4\n"),
    (
        "cp1252 mac_roman",
        "Commune;Population\nL'Haÿ-les-Roses;3\nŒuilly;4\nSaint-Étienne;5\nBesançon;6\n",
    ),
    ("cp1252 mac_roman cp850", "Municipio;Población\nA Coruña;3\nLeón;4\n"),
    ("cp1252 mac_roman cp850", "Município;População\nSão Paulo;3\nÁgua Fria;5\n"),
    ("cp1252 mac_roman cp850", "nome;pop\nSão Paulo;3\nÁgua Fria;5\nAçu;3\n"),
    ("cp1252 mac_roman cp850", "Comune;Popolazione\nAgliè;3\nForlì;4\nCantù;4\n"),
    ("cp1252 mac_roman", "Kommun;Folkmängd\nMalmö;3\nÅre;4\nGävle;3\n"),
    ("cp1252 mac_roman", "Kommune;Befolkning\nKøbenhavn;3\nÆrø;4\nÅrhus;3\n"),
    ("cp1254 iso8859_9", "İl;İlçe;Nüfus\nİzmir;Çeşme;3\nMuğla;Bodrum;5\nDiyarbakır;Bağlar;7\n"),
    ("cp1257", "Savivaldybė;Gyventojų skaičius\nŠiauliai;3\nPanevėžys;5\n"),
    ("cp1251 koi8_r cp866 iso8859_5", "Код;Название;Население\n1;Москва;3\n2;Тверь;4\n"),
    ("cp1251", "Код;Назва;Кількість\n1;Київ;3\n2;Львів;4\n"),
    ("cp1253 iso8859_7", "Κωδικός;Δήμος;Πληθυσμός\n1;Αθήνα;3\n2;Πάτρα;4\n"),
    (
        "cp932 euc_jp",
        "都道府県,市区町村,総人口（人）,男\n北海道,札幌市,1973395,918000\n青森県,青森市,275192,1\n",
    ),
    ("cp932 euc_jp", "code,name,pop\n1,さいたま市,1973395\n2,青森市,275192\n"),
    ("gb18030", "代码,名称,人口\n1,北京市,1973395\n2,上海市,275192\n3,广州市,3333\n"),
    (
        "gb18030",
        "code,name,pop\n1,北京市,1973395\n2,上海市,275192\n3,广州市,3333\n4,呼和浩特市,333\n",
    ),
    ("big5", "代碼,名稱,人口數\n1,臺北市,1973395\n2,高雄市,275192\n3,新竹縣,3333\n"),
    ("big5", "code,name,pop\n1,臺北市,1973395\n2,高雄市,275192\n3,新竹縣,3333\n"),
    ("cp949", "행정구역,인구수\n서울특별시,1973395\n부산광역시,275192\n"),
    ("cp949", "code,name,pop\n1,서울특별시,1973395\n2,부산광역시,275192\n"),
    ("cp1255", "שם;אוכלוסייה\nחיפה;3\nירושלים;4\n"),
    ("cp1256", "الاسم;السكان\nالقاهرة;3\nالجيزة;4\n"),
    ("cp874", "ชื่อ,ประชากร\nเชียงใหม่,3\nภูเก็ต,4\n"),
    ("cp1252", "code;name;pop\n1;North – South;4\n2;St. John’s;4\n"),
    ("cp1252", "code;name;pop\n1;North;4\xa0000\n2;East;5\xa0000\n"),
    ("cp1252", "code;name;pop;lat\n1;North;4000;7°48'\n2;East;5;7°45'\n"),
    ("cp1252 mac_roman", "Name;Population\nPeñaranda;3\nParañaque;4\n"),
    ("cp1252 mac_roman", "NAME;POP\nPEÑARANDA;3\nPARAÑAQUE;4\nDASMARIÑAS;5\n"),
]
"""Encodings, and a text that must be recognised in each of them."""
